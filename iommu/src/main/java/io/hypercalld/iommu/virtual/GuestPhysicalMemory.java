package io.hypercalld.iommu.virtual;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;

/**
 * What a guest takes for the machine's memory: its own, through the P2M. Confined to the machine
 * thread.
 *
 * <p>RAM is what the P2M has a frame for now; a page that is with the pager, or that is populated
 * on demand and nobody has touched, is none. A store to a page that the guest may not write goes
 * nowhere.
 */
final class GuestPhysicalMemory implements PhysicalMemory {
  private final Domain domain;
  private final MachineMemory memory;

  GuestPhysicalMemory(Domain domain, MachineMemory memory) {
    this.domain = domain;
    this.memory = memory;
  }

  @Override
  public boolean isRam(long gpa) {
    if (gpa >>> VirtualSilicon.ADDRESS_BITS != 0) {
      return false;
    }
    P2mLookup found = lookup(gpa);
    return found.type().isReadable() && found.mfn().isValid() && memory.isRam(found.mfn().maddr());
  }

  @Override
  public boolean isRam(long gpa, long length) {
    if (length <= 0 || gpa < 0 || gpa + length < 0) {
      return false;
    }
    for (long page = gpa & -PageSize.BYTES_4K; page < gpa + length; page += PageSize.BYTES_4K) {
      if (!isRam(page)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public long readWord(long gpa) {
    return memory.readWord(maddr(gpa));
  }

  @Override
  public void readWords(long frame, long[] into, int from, int to) {
    memory.readWords(maddr(frame), into, from, to);
  }

  @Override
  public void writeWord(long gpa, long value) {
    if (prepareWrite(gpa)) {
      memory.writeWord(maddr(gpa), value);
    }
  }

  @Override
  public void writeInt(long gpa, int value) {
    if (prepareWrite(gpa)) {
      memory.writeInt(maddr(gpa), value);
    }
  }

  private boolean prepareWrite(long gpa) {
    P2mType type = lookup(gpa).type();
    boolean writable = type.isWritable() || type == P2mType.RAM_LOGDIRTY;
    if (writable) {
      domain.logDirty().markDirty(gfn(gpa));
    }
    return writable;
  }

  private long maddr(long gpa) {
    return lookup(gpa).mfn().maddr() + (gpa & (PageSize.BYTES_4K - 1));
  }

  private P2mLookup lookup(long gpa) {
    return domain.p2m().lookup(gfn(gpa));
  }

  private static Gfn gfn(long gpa) {
    return new Gfn(gpa >>> PageSize.SHIFT_4K);
  }
}
