package io.hypercalld.core.domain;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.List;

/**
 * The entries of a grant table, in the pages that granter and hypervisor share. Confined to the
 * machine thread.
 *
 * @see GrantEntry
 */
final class GrantEntries {
  private final MachineMemory memory;
  private final List<Mfn> shared;
  private final List<Mfn> status;
  private int version = 1;

  /** Entries of version 1 in pages of which there may be more, or none, later. */
  GrantEntries(MachineMemory memory, List<Mfn> shared, List<Mfn> status) {
    this.memory = memory;
    this.shared = shared;
    this.status = status;
  }

  int version() {
    return version;
  }

  /** Has the pages hold entries of the other version; whoever calls this writes them anew. */
  void changeVersion(int wanted) {
    version = wanted;
  }

  long count() {
    return (long) shared.size() * perFrame();
  }

  int perFrame() {
    return PageSize.BYTES_4K / bytes();
  }

  private int bytes() {
    return version == 1 ? GrantEntry.V1_BYTES : GrantEntry.V2_BYTES;
  }

  private long at(int ref) {
    return shared.get(ref / perFrame()).maddr() + (long) (ref % perFrame()) * bytes();
  }

  private long statusAt(int ref) {
    int perPage = PageSize.BYTES_4K / GrantEntry.STATUS_BYTES;
    return status.get(ref / perPage).maddr() + (long) (ref % perPage) * GrantEntry.STATUS_BYTES;
  }

  /** The first 32 bits of an entry, as the granter left them. */
  long header(int ref) {
    return Integer.toUnsignedLong(memory.readInt(at(ref)));
  }

  void writeHeader(int ref, long header) {
    memory.writeInt(at(ref), (int) header);
  }

  /** The granter's guest frame in an entry. */
  long frame(int ref) {
    return version == 1
        ? Integer.toUnsignedLong(memory.readInt(at(ref) + Integer.BYTES))
        : memory.readWord(at(ref) + Long.BYTES);
  }

  void writeFrame(int ref, long frame) {
    if (version == 1) {
      memory.writeInt(at(ref) + Integer.BYTES, (int) frame);
    } else {
      memory.writeWord(at(ref) + Long.BYTES, frame);
    }
  }

  /** The first 64 bits of an entry of version 2. */
  long firstWord(int ref) {
    return memory.readWord(at(ref));
  }

  /** Has the granter see whether the entry is in use. */
  void showUse(int ref, boolean reading, boolean writing) {
    long flags = 0;
    flags = reading ? GrantEntry.READING.set(flags) : flags;
    flags = writing ? GrantEntry.WRITING.set(flags) : flags;
    if (version == 1) {
      writeHeader(ref, GrantEntry.WRITING.clear(GrantEntry.READING.clear(header(ref))) | flags);
    } else {
      memory.write(statusAt(ref), new byte[] {(byte) flags, 0}, 0, GrantEntry.STATUS_BYTES);
    }
  }

  /** Exchanges two entries, and what the granter sees of their use. */
  void swap(int a, int b) {
    swapBytes(at(a), at(b), bytes());
    if (version == 2) {
      swapBytes(statusAt(a), statusAt(b), GrantEntry.STATUS_BYTES);
    }
  }

  private void swapBytes(long first, long second, int length) {
    byte[] one = read(first, length);
    byte[] other = read(second, length);
    memory.write(first, other, 0, length);
    memory.write(second, one, 0, length);
  }

  private byte[] read(long maddr, int length) {
    byte[] bytes = new byte[length];
    memory.read(maddr, bytes, 0, length);
    return bytes;
  }
}
