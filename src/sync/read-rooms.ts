/** Lends memory for what is read and soon lands: the same again and again, as fresh memory costs more than filling it. */
import type { ReadMemory } from '#store';

const ROOM_BYTES = 4 * 1024 * 1024;

export interface LentRooms {
  /** Memory for one read, good until `giveBack`. */
  readonly memory: ReadMemory;
  readonly giveBack: () => void;
}

export class ReadRooms {
  readonly #free: Buffer[] = [];

  lend(): LentRooms {
    const rooms: Buffer[] = [];
    let used = ROOM_BYTES;
    const memory = (bytes: number) => {
      if (bytes > ROOM_BYTES) return Buffer.allocUnsafeSlow(bytes);
      if (used + bytes > ROOM_BYTES) {
        rooms.push(this.#free.pop() ?? Buffer.allocUnsafeSlow(ROOM_BYTES));
        used = 0;
      }
      return rooms.at(-1)!.subarray(used, (used += bytes));
    };
    return { memory, giveBack: () => void this.#free.push(...rooms.splice(0)) };
  }
}
