package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.DeviceDma;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.Victim;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.AtomicOperation;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@code POST /v1/devices/{sbdf}/dma}: a device makes requests. Immutable. */
final class DmaRoutes {
  private DmaRoutes() {}

  /** Which way the bytes go; both for an atomic operation. */
  enum Direction {
    READ,
    WRITE,
    FETCH_ADD,
    SWAP
  }

  /**
   * What a device is to do; a write carries its bytes, an atomic operation its operand of 4 or 8, a
   * read says how many.
   *
   * @param pasid the address space of the device, which is one of the unit's in scalable mode
   * @param privileged whether a request with a PASID is a supervisor's
   * @param execute whether a read with a PASID fetches instructions
   */
  record Transfer(
      Direction op,
      Word address,
      Optional<Long> length,
      Optional<HexBytes> data,
      Optional<Integer> pasid,
      Optional<Boolean> privileged,
      Optional<Boolean> execute) {}

  /**
   * What became of a transfer.
   *
   * @param oracle what was wrong with a request that passed: it met what a guest has changed in its
   *     own tables and not had forgotten, or a frame that is none of its domain's
   * @param victims the frames that it reached and that are none of its domain's
   */
  record TransferView(
      DmaOutcome.Verdict outcome,
      Optional<HexBytes> data,
      List<SegmentView> segments,
      Optional<FaultView> fault,
      Optional<String> oracle,
      List<Victim> victims) {}

  /**
   * What became of the part of it in one page; {@code maddr} is empty where it did not get there.
   */
  record SegmentView(
      Word iova,
      int length,
      Optional<Word> maddr,
      Optional<Long> page,
      Optional<String> cache,
      String end) {}

  /** The first fault of it. */
  record FaultView(String reason, String name, int iommu, boolean recorded) {}

  static List<Route> routes() {
    return List.of(
        Route.of(Method.POST, DeviceRoutes.ONE + "/dma", "Has a device read or write memory")
            .reading(Transfer.class)
            .answering(TransferView.class)
            .on(DmaRoutes::transfer));
  }

  private static Function<Machine, Reply> transfer(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    Transfer transfer = request.read(Transfer.class);
    DeviceDma command = command(sbdf, transfer);
    return machine -> {
      DeviceRoutes.device(machine, sbdf);
      DeviceDma.Result result = machine.execute(command);
      int iommu = machine.scopes().unitOf(sbdf).orElse(-1);
      DmaOutcome outcome = result.outcome();
      return Reply.ok(
          new TransferView(
              outcome.verdict(),
              transfer.op == Direction.WRITE ? Optional.empty() : Optional.of(result.data()),
              outcome.segments().stream().map(DmaRoutes::view).toList(),
              outcome.segments().stream().flatMap(part -> fault(part, iommu).stream()).findFirst(),
              result.oracle(),
              result.victims()));
    };
  }

  private static DeviceDma command(Sbdf sbdf, Transfer transfer) {
    PasidPrefix prefix = prefix(transfer);
    return switch (transfer.op) {
      case READ -> read(sbdf, prefix, transfer);
      case WRITE -> write(sbdf, prefix, transfer, Optional.empty());
      case FETCH_ADD -> write(sbdf, prefix, transfer, Optional.of(AtomicOperation.FETCH_ADD));
      case SWAP -> write(sbdf, prefix, transfer, Optional.of(AtomicOperation.SWAP));
    };
  }

  private static PasidPrefix prefix(Transfer transfer) {
    boolean privileged = transfer.privileged.orElse(false);
    boolean execute = transfer.execute.orElse(false);
    if (transfer.pasid.isEmpty()) {
      if (privileged || execute) {
        throw InvalidBody.at("/pasid", "only a request with a PASID says what it is");
      }
      return PasidPrefix.NONE;
    }
    if (execute && transfer.op != Direction.READ) {
      throw InvalidBody.at("/execute", "only a read fetches instructions");
    }
    return new PasidPrefix(true, checkedPasid(transfer.pasid.get()), privileged, execute);
  }

  /** A user's data requests in an address space. */
  static PasidPrefix inAddressSpace(int pasid) {
    return PasidPrefix.of(checkedPasid(pasid));
  }

  private static int checkedPasid(int pasid) {
    if (pasid >>> PasidPrefix.BITS != 0) {
      throw InvalidBody.at("/pasid", "a PASID has %d bits", PasidPrefix.BITS);
    }
    return pasid;
  }

  private static DeviceDma read(Sbdf sbdf, PasidPrefix prefix, Transfer transfer) {
    if (transfer.data.isPresent()) {
      throw InvalidBody.at("/data", "a read brings no data along");
    }
    long length =
        transfer.length.orElseThrow(
            () -> InvalidBody.at("/length", "the member length is missing, which a read needs"));
    checkLength(length);
    return new DeviceDma(
        sbdf, prefix, transfer.address, (int) length, Optional.empty(), Optional.empty());
  }

  private static DeviceDma write(
      Sbdf sbdf, PasidPrefix prefix, Transfer transfer, Optional<AtomicOperation> operation) {
    HexBytes data =
        transfer.data.orElseThrow(
            () -> InvalidBody.at("/data", "the member data is missing, which a write needs"));
    if (transfer.length.filter(length -> length != data.length()).isPresent()) {
      throw InvalidBody.at("/length", "the data has %d bytes", data.length());
    }
    checkLength(data.length());
    return new DeviceDma(
        sbdf, prefix, transfer.address, data.length(), Optional.of(data), operation);
  }

  private static void checkLength(long length) {
    if (length > MemoryRoutes.MOST_BYTES) {
      throw Failure.of(
          Errno.E2BIG,
          "%d bytes, at most %d go at once".formatted(length, MemoryRoutes.MOST_BYTES));
    }
  }

  private static SegmentView view(DmaSegment segment) {
    Word iova = new Word(segment.iova());
    int length = segment.length();
    return switch (segment.end()) {
      case DmaSegment.Moved moved ->
          new SegmentView(
              iova,
              length,
              Optional.of(new Word(moved.maddr())),
              Optional.of(moved.page().bytes()),
              Optional.of(moved.iotlbHit() ? "hit" : "miss"),
              "moved");
      case DmaSegment.MasterAbort(long maddr) ->
          new SegmentView(
              iova,
              length,
              Optional.of(new Word(maddr)),
              Optional.empty(),
              Optional.empty(),
              "master-abort");
      case DmaSegment.Faulted _ -> ended(iova, length, "fault");
      case DmaSegment.Protected _ -> ended(iova, length, "protected");
      case DmaSegment.Interrupt _ -> ended(iova, length, "interrupt");
      case DmaSegment.Unsupported(String why) -> ended(iova, length, why);
    };
  }

  private static SegmentView ended(Word iova, int length, String end) {
    return new SegmentView(iova, length, Optional.empty(), Optional.empty(), Optional.empty(), end);
  }

  private static Optional<FaultView> fault(DmaSegment segment, int iommu) {
    return segment.end() instanceof DmaSegment.Faulted(var reason, boolean recorded)
        ? Optional.of(
            new FaultView(
                "0x" + Integer.toHexString(reason.code()), reason.text(), iommu, recorded))
        : Optional.empty();
  }
}
