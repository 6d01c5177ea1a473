package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Takes devices' memory requests, sends them through their units and moves the bytes. Confined to
 * the machine thread.
 *
 * <p>A request crosses no 4 KiB boundary, so a longer DMA is one request per page, and each of them
 * is translated, faults and moves its bytes on its own: what follows a blocked page is not blocked
 * with it. A blocked write is dropped, a blocked read reads as ones.
 *
 * @see "VT-d §3.1, §3.14"
 */
public final class RootComplex {
  private static final byte ONES = (byte) 0xff;
  private static final DmaSegment.End NOT_BUS_MASTER =
      new DmaSegment.Unsupported("the function is not a bus master");
  private static final DmaSegment.End NO_INTERRUPT =
      new DmaSegment.Unsupported("the interrupt range takes aligned 4-byte writes only");
  private static final DmaSegment.End BEYOND_THE_END =
      new DmaSegment.Unsupported("no request reaches beyond the end of the address space");
  private static final DmaSegment.End NOT_FOR_THE_DEVICE =
      new DmaSegment.Unsupported("the device has no translation that permits the request");
  private static final DmaSegment.End MISALIGNED_ATOMIC =
      new DmaSegment.Unsupported("an atomic operation is on 4 or 8 naturally aligned bytes");

  /** The bytes of one request among those of the DMA. */
  private static final class Part {
    private final byte[] bytes;
    private final int offset;
    private final int length;

    Part(byte[] bytes, int offset, int length) {
      this.bytes = bytes;
      this.offset = offset;
      this.length = length;
    }

    void fillWithOnes() {
      Arrays.fill(bytes, offset, offset + length, ONES);
    }

    byte[] copy() {
      return Arrays.copyOfRange(bytes, offset, offset + length);
    }

    int message() {
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(offset);
    }
  }

  private final MachineMemory memory;
  private final MessageSink interrupts;
  private final Translation translation = new Translation();

  /** A root complex that hands devices' interrupt messages to {@code interrupts}. */
  public RootComplex(MachineMemory memory, MessageSink interrupts) {
    this.memory = memory;
    this.interrupts = interrupts;
  }

  /** A device reads {@code target.length} bytes; what cannot be read is filled with ones. */
  public DmaOutcome read(DmaRequester requester, long iova, byte[] target) {
    DmaAccess access = target.length == 0 ? DmaAccess.ZERO_LENGTH_READ : DmaAccess.READ;
    return split(requester, access, iova, target);
  }

  /** A device writes {@code source.length} bytes; what is blocked is dropped. */
  public DmaOutcome write(DmaRequester requester, long iova, byte[] source) {
    return split(requester, DmaAccess.WRITE, iova, source);
  }

  /**
   * A device exchanges 4 or 8 naturally aligned bytes in one step.
   *
   * @param operand in: what the operation takes; out: what memory held before, or ones
   */
  public DmaOutcome atomic(
      DmaRequester requester, AtomicOperation operation, long iova, byte[] operand) {
    boolean legal =
        (operand.length == Integer.BYTES || operand.length == Long.BYTES)
            && iova % operand.length == 0;
    DmaSegment.End end = legal ? request(requester, DmaAccess.ATOMIC, iova) : MISALIGNED_ATOMIC;
    overtakeNothing(requester);
    if (end instanceof DmaSegment.Moved moved) {
      exchange(operation, moved.maddr(), operand);
    } else {
      Arrays.fill(operand, ONES);
    }
    return new DmaOutcome(List.of(new DmaSegment(iova, operand.length, end)));
  }

  private void exchange(AtomicOperation operation, long maddr, byte[] operand) {
    ByteBuffer buffer = ByteBuffer.wrap(operand).order(ByteOrder.LITTLE_ENDIAN);
    if (operand.length == Long.BYTES) {
      long old = memory.readWord(maddr);
      memory.writeWord(maddr, operation.apply(old, buffer.getLong(0)));
      buffer.putLong(0, old);
    } else {
      int old = memory.readInt(maddr);
      memory.writeInt(maddr, (int) operation.apply(old, buffer.getInt(0)));
      buffer.putInt(0, old);
    }
  }

  private DmaOutcome split(DmaRequester requester, DmaAccess access, long iova, byte[] bytes) {
    List<DmaSegment> segments = new ArrayList<>();
    int offset = 0;
    do {
      long address = iova + offset;
      int toPageEnd = PageSize.BYTES_4K - (int) (address & (PageSize.BYTES_4K - 1));
      Part part = new Part(bytes, offset, Math.min(bytes.length - offset, toPageEnd));
      boolean wrapped = Long.compareUnsigned(address, iova) < 0;
      DmaSegment.End end =
          wrapped ? beyondTheEnd(access, part) : perform(requester, access, address, part);
      segments.add(new DmaSegment(address, part.length, end));
      offset += part.length;
    } while (offset < bytes.length);
    return new DmaOutcome(segments);
  }

  private DmaSegment.End perform(DmaRequester requester, DmaAccess access, long iova, Part part) {
    boolean message = access == DmaAccess.WRITE && requester.meansInterrupt(iova);
    DmaSegment.End end =
        message ? interrupt(requester, iova, part) : request(requester, access, iova);
    if (access == DmaAccess.WRITE) {
      if (end instanceof DmaSegment.Moved moved) {
        post(requester, moved.maddr(), part);
      }
    } else if (end instanceof DmaSegment.Moved moved) {
      overtakeNothing(requester);
      memory.read(moved.maddr(), part.bytes, part.offset, part.length);
    } else {
      part.fillWithOnes();
    }
    return end;
  }

  private void post(DmaRequester requester, long maddr, Part part) {
    Optional<PostedWrites> waiting =
        requester
            .unit()
            .map(RemappingUnit::postedWrites)
            .filter(writes -> writes.holds(requester.sourceId()));
    if (waiting.isPresent()) {
      waiting.get().take(requester.sourceId(), memory, maddr, part.copy());
    } else {
      memory.write(maddr, part.bytes, part.offset, part.length);
    }
  }

  private static void overtakeNothing(DmaRequester requester) {
    requester.unit().ifPresent(unit -> unit.postedWrites().drain(requester.sourceId()));
  }

  private static DmaSegment.End beyondTheEnd(DmaAccess access, Part part) {
    if (access != DmaAccess.WRITE) {
      part.fillWithOnes();
    }
    return BEYOND_THE_END;
  }

  /** A request that no unit sees is delivered as it was written. */
  private DmaSegment.End interrupt(DmaRequester requester, long iova, Part part) {
    if (!requester.busMaster()) {
      return NOT_BUS_MASTER;
    }
    if (part.length != Integer.BYTES || iova % Integer.BYTES != 0) {
      return NO_INTERRUPT;
    }
    return switch (interrupt(requester, iova, part.message())) {
      case InterruptOutcome.Blocked(var reason, _, boolean recorded) ->
          new DmaSegment.Faulted(reason, recorded);
      case InterruptOutcome taken -> new DmaSegment.Interrupt(taken);
    };
  }

  /**
   * A function, an IOAPIC or a timer asks for an interrupt, by a message in either format.
   *
   * @param address {@code 0xfee.....} in the low half
   */
  public InterruptOutcome interrupt(DmaRequester requester, long address, int data) {
    return requester
        .unit()
        .map(unit -> interrupt(unit, requester, address, data))
        .orElseGet(() -> deliver(InterruptMessage.written(address, data)));
  }

  private static InterruptOutcome interrupt(
      RemappingUnit unit, DmaRequester requester, long address, int data) {
    return unit.interrupt(
        requester.sourceId(), requester.prefix(), new RemappableMessage(address, data));
  }

  private InterruptOutcome deliver(InterruptMessage message) {
    interrupts.deliver(message);
    return new InterruptOutcome.Delivered(message, OptionalInt.empty());
  }

  /** Where one request ends; {@code Moved} says where its bytes may move. */
  private DmaSegment.End request(DmaRequester requester, DmaAccess access, long iova) {
    if (!requester.busMaster()) {
      return NOT_BUS_MASTER;
    }
    if (requester.meansInterrupt(iova)) {
      return NO_INTERRUPT;
    }
    if (!reach(requester, access, iova)) {
      return NOT_FOR_THE_DEVICE;
    }
    return switch (translation.outcome()) {
      case FAULTED -> new DmaSegment.Faulted(translation.reason(), translation.recorded());
      case PROTECTED -> new DmaSegment.Protected();
      case UNTRANSLATED, MAPPED -> arrive();
    };
  }

  /** Has the unit answer, and the device's own TLB before; false where the device gives up. */
  private boolean reach(DmaRequester requester, DmaAccess access, long iova) {
    if (requester.unit().isEmpty()) {
      translation.passUntranslated(iova);
      return true;
    }
    RemappingUnit unit = requester.unit().get();
    SourceId sourceId = requester.sourceId();
    Optional<Endpoint> endpoint = unit.endpoints().find(sourceId).filter(Endpoint::translates);
    if (endpoint.isPresent() && AtsRequester.covers(access)) {
      return new AtsRequester(unit, sourceId, endpoint.get())
          .reach(requester.prefix(), iova, access, translation);
    }
    unit.translate(sourceId, requester.prefix(), iova, access, translation);
    return true;
  }

  private DmaSegment.End arrive() {
    long maddr = translation.maddr();
    return memory.isRam(maddr)
        ? new DmaSegment.Moved(
            maddr, translation.pageSize(), translation.iotlbHit(), translation.contextHit())
        : new DmaSegment.MasterAbort(maddr);
  }
}
