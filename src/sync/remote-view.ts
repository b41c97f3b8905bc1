/** Reads versions straight out of a bucket: no repository is needed, nothing is kept, nothing is written there. */
import { makeFolders } from '#base';
import { cat, download, layoutOf } from '#repo';
import type { CheckoutResult, Context, Setting } from '#repo';
import type { Bucket } from './bucket.ts';
import { RemoteStore } from './remote-store.ts';

export class RemoteView {
  readonly #context: Context;

  private constructor(context: Context) {
    this.#context = context;
  }

  /** `scratch` is an empty folder for what a download notes while it lasts. Raises REMOTE_EMPTY, REMOTE_TOO_NEW. */
  static async open(bucket: Bucket, setting: Setting, scratch: string): Promise<RemoteView> {
    const { signal, onWarning } = setting;
    const options = { ...(signal && { signal }), ...(onWarning && { onWarning }) };
    const store = await RemoteStore.open(bucket, options);
    const layout = layoutOf(scratch);
    makeFolders(layout.tmp);
    return new RemoteView({ ...layout, ...setting, store });
  }

  /** As `Repository.cat`. Only what covers the range is read. */
  cat(
    spec: string,
    path: string,
    range: Parameters<typeof cat>[3] = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    return cat(this.#context, spec, path, range);
  }

  /** As `Repository.download`. Only files that are not there yet are read. */
  download(request: Parameters<typeof download>[1]): Promise<CheckoutResult> {
    return download(this.#context, request);
  }
}
