/** Collects what is to be undone at the end, and undoes it newest first (AsyncDisposableStack, which Node 20 lacks). */

export class Closing implements AsyncDisposable {
  readonly #steps: (() => unknown)[] = [];

  /** Disposes of `resource` at the end; gives it back. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  defer(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Every step is taken; the first failure is raised at the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
