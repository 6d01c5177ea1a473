package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.iommu.unit.QueueState;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A driver's register writes, and the descriptors that the queue then fetched. Confined to one
 * thread.
 */
final class RegisterReplay {
  /** Makes a unit forget every PASID-table entry. */
  private static final InvalidationDescriptor ALL_PASIDS = InvalidationDescriptor.allPasids();

  private final CaptureHost host;
  private final EventTrace trace;
  private long writes;
  private long descriptors;
  private long untraced;

  RegisterReplay(CaptureHost host, EventTrace trace) {
    this.host = host;
    this.trace = trace;
  }

  long writes() {
    return writes;
  }

  long descriptors() {
    return descriptors;
  }

  /** Descriptors that the queue fetched and the trace lacks. */
  long untraced() {
    return untraced;
  }

  /** Writes, and holds what comes of it to what the driver was after. */
  Optional<Mismatch> write(int offset, int bytes, long value) {
    writes++;
    boolean queued = offset == Register.IQT.offset() && host.unit().queue().enabled();
    List<QueueModel.Status> waits = queued ? publish(value) : List.of();
    if (bytes == Long.BYTES) {
      host.window().write64(offset, value);
    } else {
      host.window().write32(offset, (int) value);
    }
    return queued ? carriedOut(value, waits) : accepted(offset, bytes, value);
  }

  /** Puts the descriptors that the queue fetched next into the ring; answers what waits write. */
  private List<QueueModel.Status> publish(long tail) {
    QueueState queue = host.unit().queue();
    long size = queue.mode().descriptorBytes();
    long ring = queue.size() * size;
    long head = queue.head() * size;
    List<QueueModel.Status> waits = new ArrayList<>();
    for (InvalidationDescriptor each : fetched(Math.floorMod(tail - head, ring) / size)) {
      put(queue.base() + head, size, each);
      head = (head + size) % ring;
      if (each.decode(queue.mode()) instanceof Invalidation.Wait wait && wait.writesStatus()) {
        waits.add(new QueueModel.Status(wait.statusAddress(), wait.statusData()));
      }
    }
    return waits;
  }

  private void put(long address, long size, InvalidationDescriptor descriptor) {
    for (long word = 0; word < size; word += Long.BYTES) {
      host.store(new CorpusCase.Word(address + word, 0));
    }
    host.store(new CorpusCase.Word(address, descriptor.lo()));
    host.store(new CorpusCase.Word(address + Long.BYTES, descriptor.hi()));
  }

  /**
   * The descriptors that the trace has behind a tail write. It lacks those of PASIDs, which drivers
   * put before the wait for them.
   */
  private List<InvalidationDescriptor> fetched(long count) {
    List<InvalidationDescriptor> traced = new ArrayList<>();
    while (traced.size() < count && trace.nextIs("inv")) {
      JsonNode event = trace.take();
      traced.add(
          new InvalidationDescriptor(EventTrace.number(event, 1), EventTrace.number(event, 2)));
    }
    descriptors += traced.size();
    untraced += count - traced.size();
    while (traced.size() < count) {
      traced.addFirst(ALL_PASIDS);
    }
    return traced;
  }

  private Optional<Mismatch> carriedOut(long tail, List<QueueModel.Status> waits) {
    long head = host.window().read64(Register.IQH.offset());
    if (head != tail) {
      return Optional.of(
          new Mismatch("IQH", Hex.of(tail), Hex.of(head) + " " + host.unit().queue().error()));
    }
    return waits.stream().flatMap(wait -> completed(wait).stream()).findFirst();
  }

  private Optional<Mismatch> completed(QueueModel.Status wait) {
    int got = Bytes.number(host.bytes(wait.maddr(), Integer.BYTES));
    return agrees("wait at " + Hex.of(wait.maddr()), wait.data(), got);
  }

  /** Whether the register file took a write as the driver meant it. */
  private Optional<Mismatch> accepted(int offset, int bytes, long value) {
    if (offset == Register.GCMD.offset()) {
      long got = Integer.toUnsignedLong(host.window().read32(Register.GSTS.offset()));
      return agrees("GSTS after GCMD", value & ~GlobalCommand.WBF.mask(), got & value);
    }
    long got =
        bytes == Long.BYTES
            ? host.window().read64(offset)
            : Integer.toUnsignedLong(host.window().read32(offset));
    if (offset == Register.CCMD.offset()) {
      return agrees("CCMD.ICC", 0, ContextCommand.ICC.get(got))
          .or(() -> granular("CCMD.CAIG", ContextCommand.CAIG.get(got)));
    }
    if (offset == host.unit().capabilities().iotlbOffset()) {
      return agrees("IOTLB.IVT", 0, IotlbCommand.IVT.get(got))
          .or(() -> granular("IOTLB.IAIG", IotlbCommand.IAIG.get(got)));
    }
    if (offset == Register.FSTS.offset()) {
      long errors = FaultStatus.PFO.mask() | FaultStatus.IQE.mask();
      return agrees("FSTS", 0, got & value & errors);
    }
    boolean writeOnly = offset == host.unit().capabilities().invalidateAddressOffset();
    return writeOnly ? Optional.empty() : agrees("register " + Hex.of(offset), value, got);
  }

  private static Optional<Mismatch> agrees(String name, long due, long got) {
    return due == got
        ? Optional.empty()
        : Optional.of(new Mismatch(name, Hex.of(due), Hex.of(got)));
  }

  private static Optional<Mismatch> granular(String name, long got) {
    return got != 0
        ? Optional.empty()
        : Optional.of(new Mismatch(name, "an invalidation", "a refusal"));
  }
}
