/**
 * What a session printed, by sequence: a ring of guarded bytes with the size markers and the costs that belong to them, and the
 * readers that walk it. Owns memory and positions. Refuses to know streams, emulators and time: a reader that waits is nobody's here.
 *
 * Pieces are aligned: piece n holds the sequences from n x pieceBytes on, so a position finds its piece without a search.
 */
import type { Size } from "../protocol/values.js";

/** Bytes kept for those who come back; design §5. */
export const defaultHistoryBytes = 4 * 1024 * 1024;

/** Large enough that a flood makes few pieces, small enough that an idle session does not hold megabytes. */
export const defaultPieceBytes = 256 * 1024;

/** The first piece of a session begins this small and doubles: most sessions print a prompt and rest. */
const firstPieceBytes = 4 * 1024;

/**
 * Cells of cost that appends are gathered into before a new cost mark begins. One slice may be charged for the whole of each mark it
 * touches, so this is a fraction of the 100 000 cells a slice may cost: a 64 KiB slice of text still fits.
 */
const markCells = 12_000;

export type Slice = { kind: "bytes"; seq: number; bytes: Uint8Array; cost: number } | { kind: "size"; seq: number; size: Size };

export interface Reader {
  /** Sequence of the byte it gives next. */
  readonly seq: number;
  /** The ring passed it: the next bytes are gone. A pinned reader is lost only when it began before what was still there. */
  readonly lost: boolean;
  /**
   * The next marker, or bytes up to the next marker, at most `maxBytes` and (by whole cost marks) `maxCost` cells; null at the end, when
   * lost, or after close. The bytes are a view and stay as they are. A single mark that alone costs more is given rather than nothing.
   */
  next(maxBytes: number, maxCost: number): Slice | null;
  /** From now on the ring alone decides how long it is not lost. Without effect on one that is not pinned. */
  unpin(): void;
  close(): void;
}

export interface ReaderOptions {
  /** Keep what is unread past the ring's size. Whoever pins bounds it. */
  pin: boolean;
  /** Do not give the markers that stand at `from` now: the reader's emulator has the size after them. */
  passMarkersAt?: boolean;
  /**
   * The size an emulator has at `from`: markers there are passed up to the last one of this size, the rest is given. What `passMarkersAt`
   * cannot say when a marker was added after the emulator's state was taken.
   */
  reached?: Size;
}

/** A mark covers the bytes from the end of the one before it. */
interface CostMark {
  end: number;
  cost: number;
}

interface Piece {
  index: number;
  bytes: Uint8Array;
  used: number;
  costs: CostMark[];
  markers: { offset: number; size: Size }[];
  /** The size in force before the markers at offset 0. */
  sizeBefore: Size;
}

export class History {
  readonly #pieceBytes: number;
  readonly #keptPieces: number;
  /** Oldest first; pieces older than the ring stand in front while a pinned reader needs them. */
  readonly #pieces: Piece[] = [];
  readonly #pinned = new Set<HistoryReader>();
  #end = 0;
  #size: Size;

  constructor(size: Size, options: { bytes?: number; pieceBytes?: number } = {}) {
    this.#pieceBytes = options.pieceBytes ?? defaultPieceBytes;
    this.#keptPieces = Math.max(1, Math.ceil((options.bytes ?? defaultHistoryBytes) / this.#pieceBytes));
    this.#size = size;
  }

  /** Oldest sequence that a reader may begin at. At least the ring's size is behind the end once that much was written. */
  get base(): number {
    const last = this.#pieces[this.#pieces.length - 1];
    if (last === undefined) return 0;
    // The ring's pieces plus the one being filled, so that the ring's size is always there.
    return Math.max(0, last.index - this.#keptPieces) * this.#pieceBytes;
  }

  /** Sequence after the last byte. */
  get end(): number {
    return this.#end;
  }

  /** The size after every marker. */
  get size(): Size {
    return this.#size;
  }

  /** Bytes of memory that the pieces hold, pinned ones included. */
  get heldBytes(): number {
    let held = 0;
    for (const piece of this.#pieces) held += piece.bytes.length;
    return held;
  }

  /** Adds output. The bytes are copied. `cost` is the cells an emulator touches for all of them. */
  append(bytes: Uint8Array, cost: number): void {
    let from = 0;
    while (from < bytes.length) {
      const piece = this.#open(Math.min(bytes.length - from, this.#pieceBytes));
      const room = this.#pieceBytes - piece.used;
      const take = Math.min(room, bytes.length - from);
      piece.bytes.set(from === 0 && take === bytes.length ? bytes : bytes.subarray(from, from + take), piece.used);
      piece.used += take;
      // Where an append spans two pieces nobody knows which half was dear: each is charged with all of it.
      addCost(piece, cost);
      from += take;
      this.#end += take;
    }
  }

  /** The size changed after the last byte. */
  mark(size: Size): void {
    const piece = this.#open(0);
    piece.markers.push({ offset: piece.used, size });
    this.#size = size;
  }

  /** The size in force at a sequence, before the markers that stand there. Older than the base: the oldest size known. */
  sizeAt(seq: number): Size {
    const first = this.#pieces[0];
    if (first === undefined) return this.#size;
    const index = Math.floor(Math.min(seq, this.#end) / this.#pieceBytes);
    const last = this.#pieces[this.#pieces.length - 1];
    const piece = this.#pieces[Math.max(0, index - first.index)] ?? last ?? first;
    const offset = seq - piece.index * this.#pieceBytes;
    let size = piece.sizeBefore;
    for (const marker of piece.markers) {
      if (marker.offset >= offset) break;
      size = marker.size;
    }
    return size;
  }

  /** The size in force at a sequence once the markers that stand there have passed. */
  sizeAfter(seq: number): Size {
    return seq >= this.#end ? this.#size : this.sizeAt(seq + 1);
  }

  /**
   * A reader at `from`; between `base` and `end` it finds everything, before the base it does only while another pinned reader keeps
   * that part (then pin this one too).
   */
  reader(from: number, options: ReaderOptions = { pin: false }): Reader {
    const reader: HistoryReader = new HistoryReader(
      {
        pieceBytes: this.#pieceBytes,
        piece: (index) => this.#piece(index),
        base: () => this.base,
        oldest: () => (this.#pieces[0]?.index ?? 0) * this.#pieceBytes,
        released: () => {
          this.#pinned.delete(reader);
          this.#trim();
        },
      },
      Math.min(from, this.#end),
      options.pin,
    );
    if (options.passMarkersAt === true) reader.passMarkers(null);
    else if (options.reached !== undefined) reader.passMarkers(options.reached);
    if (options.pin) this.#pinned.add(reader);
    return reader;
  }

  #piece(index: number): Piece | undefined {
    const first = this.#pieces[0];
    return first === undefined ? undefined : this.#pieces[index - first.index];
  }

  /** The piece that the next byte or marker goes to, with room for `more` bytes of it where the piece is still growing. */
  #open(more: number): Piece {
    const last = this.#pieces[this.#pieces.length - 1];
    if (last !== undefined && last.used < this.#pieceBytes) {
      const needed = Math.min(this.#pieceBytes, last.used + more);
      if (needed > last.bytes.length) {
        let length = last.bytes.length;
        while (length < needed) length *= 2;
        const grown = new Uint8Array(Math.min(length, this.#pieceBytes));
        grown.set(last.bytes.subarray(0, last.used));
        last.bytes = grown;
      }
      return last;
    }
    const length = last === undefined ? Math.min(firstPieceBytes, this.#pieceBytes) : this.#pieceBytes;
    const piece: Piece = {
      index: last === undefined ? 0 : last.index + 1,
      bytes: new Uint8Array(length),
      used: 0,
      costs: [],
      markers: [],
      sizeBefore: this.#size,
    };
    this.#pieces.push(piece);
    this.#trim();
    return last === undefined ? this.#open(more) : piece;
  }

  #trim(): void {
    const last = this.#pieces[this.#pieces.length - 1];
    if (last === undefined) return;
    let oldest = last.index - this.#keptPieces;
    for (const reader of this.#pinned) oldest = Math.min(oldest, Math.floor(reader.seq / this.#pieceBytes));
    while (this.#pieces.length > 1 && (this.#pieces[0]?.index ?? oldest) < oldest) this.#pieces.shift();
  }
}

/** Gathers small appends into one mark; a dear one stands alone. */
function addCost(piece: Piece, cost: number): void {
  const last = piece.costs[piece.costs.length - 1];
  if (last !== undefined && last.cost + cost <= markCells) {
    last.end = piece.used;
    last.cost += cost;
  } else {
    piece.costs.push({ end: piece.used, cost });
  }
}

interface Ring {
  pieceBytes: number;
  piece(index: number): Piece | undefined;
  base(): number;
  oldest(): number;
  released(): void;
}

class HistoryReader implements Reader {
  #seq: number;
  #closed = false;
  /** Where it stands in the piece it last read from: markers given, cost marks behind it. */
  #pieceIndex: number;
  #markersPassed = 0;
  #costsPassed = 0;

  constructor(
    private readonly ring: Ring,
    from: number,
    private pinned: boolean,
  ) {
    this.#seq = from;
    this.#pieceIndex = Math.floor(from / ring.pieceBytes);
    const piece = ring.piece(this.#pieceIndex);
    const offset = from - this.#pieceIndex * ring.pieceBytes;
    if (piece === undefined) return;
    while ((piece.markers[this.#markersPassed]?.offset ?? Infinity) < offset) this.#markersPassed += 1;
    this.#passCosts(piece, offset);
  }

  get seq(): number {
    return this.#seq;
  }

  get lost(): boolean {
    return this.#seq < (this.pinned ? this.ring.oldest() : this.ring.base());
  }

  next(maxBytes: number, maxCost: number): Slice | null {
    if (this.#closed || this.lost) return null;
    const index = Math.floor(this.#seq / this.ring.pieceBytes);
    if (index !== this.#pieceIndex) {
      this.#pieceIndex = index;
      this.#markersPassed = 0;
      this.#costsPassed = 0;
    }
    const piece = this.ring.piece(index);
    if (piece === undefined) return null;
    const offset = this.#seq - index * this.ring.pieceBytes;
    const marker = piece.markers[this.#markersPassed];
    if (marker !== undefined && marker.offset <= offset) {
      this.#markersPassed += 1;
      return { kind: "size", seq: this.#seq, size: marker.size };
    }
    const stop = Math.min(piece.used, marker?.offset ?? Infinity, offset + maxBytes);
    if (stop <= offset) return null;
    const { end, cost } = this.#affordable(piece, offset, stop, maxCost);
    this.#passCosts(piece, end);
    const seq = this.#seq;
    this.#seq += end - offset;
    return { kind: "bytes", seq, bytes: piece.bytes.subarray(offset, end), cost };
  }

  /** Skips markers at the current position: all of them, or up to the last of the given size. */
  passMarkers(upTo: Size | null): void {
    const piece = this.ring.piece(this.#pieceIndex);
    if (piece === undefined) return;
    const offset = this.#seq - this.#pieceIndex * this.ring.pieceBytes;
    for (let n = this.#markersPassed; n < piece.markers.length; n += 1) {
      const marker = piece.markers[n];
      if (marker === undefined || marker.offset > offset) break;
      if (upTo === null || (marker.size.cols === upTo.cols && marker.size.rows === upTo.rows)) this.#markersPassed = n + 1;
    }
  }

  unpin(): void {
    if (!this.pinned) return;
    this.pinned = false;
    this.ring.released();
  }

  close(): void {
    this.#closed = true;
    this.unpin();
  }

  #affordable(piece: Piece, offset: number, stop: number, maxCost: number): { end: number; cost: number } {
    // The newest mark may have grown since this reader passed it.
    while ((piece.costs[this.#costsPassed - 1]?.end ?? 0) > offset) this.#costsPassed -= 1;
    let end = offset;
    let cost = 0;
    for (let n = this.#costsPassed; end < stop; n += 1) {
      const mark = piece.costs[n];
      if (mark === undefined) return { end: stop, cost };
      if (cost > 0 && cost + mark.cost > maxCost) break;
      cost += mark.cost;
      end = Math.min(stop, mark.end);
    }
    return { end, cost };
  }

  #passCosts(piece: Piece, offset: number): void {
    while ((piece.costs[this.#costsPassed]?.end ?? Infinity) <= offset) this.#costsPassed += 1;
  }
}
