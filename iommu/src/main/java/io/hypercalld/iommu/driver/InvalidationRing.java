package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.Register;

/**
 * The invalidation queue as the driver sees it: each command is its descriptor and a wait that
 * writes a status word. Confined to the machine thread.
 *
 * <p>Each wait writes a number of its own: a unit that stood still carries out the waits of
 * commands that were given up, too, and none of those is an answer to the last.
 *
 * @see "VT-d §6.5.2"
 */
final class InvalidationRing implements Invalidations {
  private static final int RING_BYTES = PageSize.BYTES_4K;
  private static final int DESCRIPTORS_OF_A_COMMAND = 2;
  private static final long ERRORS =
      FaultStatus.IQE.mask() | FaultStatus.ICE.mask() | FaultStatus.ITE.mask();

  private final int unit;
  private final Mmio registers;
  private final MachineMemory memory;
  private final long ring;
  private final long status;
  private final int descriptorBytes;
  private int tail;
  private int ticket;

  /**
   * Allocates the ring and tells the unit where it is; the queue is not enabled yet.
   *
   * @param wide whether descriptors have 256 bits, as those of scalable mode must
   * @throws Refusal ENOMEM no frame is free
   */
  InvalidationRing(
      int unit, Mmio registers, MachineMemory memory, FrameAllocator frames, boolean wide) {
    this.unit = unit;
    this.registers = registers;
    this.memory = memory;
    this.ring = allocate(frames);
    this.status = allocate(frames);
    this.descriptorBytes = wide ? InvalidationDescriptor.WIDE_BYTES : InvalidationDescriptor.BYTES;
    registers.write64(
        Register.IQA.offset(),
        wide ? InvalidationQueueFields.wideRing(ring, 0) : InvalidationQueueFields.ring(ring, 0));
    registers.write64(Register.IQT.offset(), 0);
  }

  private static long allocate(FrameAllocator frames) {
    return new Mfn(
            frames.allocate(PageSize.SIZE_4K, FrameTable.NO_OWNER, FrameUse.INVALIDATION_QUEUE))
        .maddr();
  }

  @Override
  public void contextGlobal() {
    queued(InvalidationDescriptor.allContexts());
  }

  @Override
  public void contextDevice(int did, SourceId requester) {
    queued(InvalidationDescriptor.deviceContexts(did, requester, 0));
  }

  @Override
  public void iotlbGlobal() {
    queued(InvalidationDescriptor.allTranslations());
  }

  @Override
  public void iotlbDomain(int did) {
    queued(InvalidationDescriptor.domainTranslations(did));
  }

  @Override
  public void iotlbPages(int did, long iova, int addressMask) {
    queued(InvalidationDescriptor.pageTranslations(did, iova, addressMask, false));
  }

  @Override
  public void deviceTlb(SourceId device, long iova, int addressMask) {
    queued(InvalidationDescriptor.deviceTranslations(device, iova, addressMask));
  }

  @Override
  public void interruptsGlobal() {
    queued(InvalidationDescriptor.allInterrupts());
  }

  @Override
  public void interruptEntry(int index) {
    queued(InvalidationDescriptor.interrupts(index, 0));
  }

  @Override
  public void queued(InvalidationDescriptor command) {
    requireRoom();
    ticket++;
    put(command);
    put(waiting());
    registers.write64(Register.IQT.offset(), tail);
    if (memory.readInt(status) != ticket) {
      Refusal failure = failure(registers.read32(Register.FSTS.offset()));
      recover();
      throw failure;
    }
  }

  /** A tail that meets the head would be an empty queue. */
  private void requireRoom() {
    long head = registers.read64(Register.IQH.offset());
    long used = (tail - head) & (RING_BYTES - 1);
    if (used + (DESCRIPTORS_OF_A_COMMAND + 1L) * descriptorBytes > RING_BYTES) {
      throw Refusal.of(
          Errno.EIO, "iommu %d has left its queue standing at 0x%x, and it is full", unit, head);
    }
  }

  private InvalidationDescriptor waiting() {
    return InvalidationDescriptor.waitWithStatus(status, ticket);
  }

  private Refusal failure(int faultStatus) {
    return Refusal.of(
        FaultStatus.ITE.isSet(faultStatus) ? Errno.ETIMEDOUT : Errno.EIO,
        "iommu %d did not complete an invalidation: FSTS is 0x%x, its queue stands at 0x%x",
        unit,
        faultStatus,
        registers.read64(Register.IQH.offset()));
  }

  /**
   * Lets a queue that stopped go on: a wait takes the place of the descriptor that it stands at.
   * What it was to do is not done; whoever asked for it was told so.
   */
  private void recover() {
    int faultStatus = registers.read32(Register.FSTS.offset());
    if (FaultStatus.IQE.isSet(faultStatus)) {
      write(registers.read64(Register.IQH.offset()), waiting());
    }
    long errors = faultStatus & ERRORS;
    if (errors != 0) {
      registers.write32(Register.FSTS.offset(), (int) errors);
    }
  }

  private void put(InvalidationDescriptor descriptor) {
    write(tail, descriptor);
    tail = (tail + descriptorBytes) % RING_BYTES;
  }

  private void write(long offset, InvalidationDescriptor descriptor) {
    memory.writeWord(ring + offset, descriptor.lo());
    memory.writeWord(ring + offset + Long.BYTES, descriptor.hi());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(ring).put(status).put(tail).put(ticket);
  }
}
