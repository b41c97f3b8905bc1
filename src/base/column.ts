/** Keeps numbers in a typed array that grows. */

type Numbers = Int32Array | Uint32Array | Float32Array | Float64Array;

export class Column<T extends Numbers = Numbers> {
  readonly #make: new (length: number) => T;
  #numbers: T;
  #length = 0;

  constructor(make: new (length: number) => T) {
    this.#make = make;
    this.#numbers = new make(256);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#numbers.length) {
      const grown = new this.#make(2 * this.#length);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[this.#length++] = value;
  }

  clear(): void {
    this.#length = 0;
  }

  at(index: number): number {
    return this.#numbers[index];
  }

  set(index: number, value: number): void {
    this.#numbers[index] = value;
  }

  add(index: number, by: number): number {
    return (this.#numbers[index] += by);
  }
}
