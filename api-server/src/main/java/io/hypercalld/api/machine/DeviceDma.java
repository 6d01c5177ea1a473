package io.hypercalld.api.machine;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.Victim;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.AtomicOperation;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.unit.RootComplex;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.List;
import java.util.Optional;

/**
 * A device reads or writes memory, or both in one step.
 *
 * @param prefix the address space that its requests name
 * @param data what it writes, or the operand of an atomic operation; empty where it reads
 * @param operation what an atomic request does; empty for reads and writes
 */
public record DeviceDma(
    Sbdf sbdf,
    PasidPrefix prefix,
    Word address,
    int length,
    Optional<HexBytes> data,
    Optional<AtomicOperation> operation)
    implements MachineCommand<DeviceDma.Result> {
  /** A request without PASID. */
  public DeviceDma(Sbdf sbdf, Word address, int length, Optional<HexBytes> data) {
    this(sbdf, PasidPrefix.NONE, address, length, data, Optional.empty());
  }

  /**
   * What became of it.
   *
   * @param data what a read or an atomic operation got, ones where it was blocked; what a write
   *     brought
   * @param oracle what was wrong with a request that passed
   * @param victims frames that it reached and that are none of its domain's business
   */
  public record Result(
      DmaOutcome outcome, HexBytes data, Optional<String> oracle, List<Victim> victims) {
    public Result {
      victims = List.copyOf(victims);
    }
  }

  @Override
  public Result execute(Machine machine) {
    DmaRequester requester = machine.requester(sbdf).in(prefix);
    machine.faults().deviceActs();
    byte[] bytes = data.map(HexBytes::toByteArray).orElseGet(() -> new byte[length]);
    DmaOutcome outcome = move(machine.rootComplex(), requester, bytes);
    boolean writing = data.isPresent();
    List<Victim> victims = machine.dmaVerdicts().judge(sbdf, outcome, writing);
    Optional<String> oracle =
        outcome.segments().stream().flatMap(part -> oracle(machine, part).stream()).findFirst();
    return new Result(
        outcome,
        new HexBytes(bytes),
        oracle.or(() -> victims.stream().findFirst().map(victim -> said(writing, victim))),
        victims);
  }

  private static String said(boolean writing, Victim victim) {
    return "it %s %s, which is none of its domain's".formatted(writing ? "wrote" : "read", victim);
  }

  private Optional<String> oracle(Machine machine, DmaSegment part) {
    return part.end() instanceof DmaSegment.Moved moved
        ? machine
            .virtualIommus()
            .oracle(sbdf, prefix, new Word(part.iova()), new Word(moved.maddr()))
        : Optional.empty();
  }

  private DmaOutcome move(RootComplex fabric, DmaRequester requester, byte[] bytes) {
    if (operation.isPresent()) {
      return fabric.atomic(requester, operation.get(), address.value(), bytes);
    }
    return data.isPresent()
        ? fabric.write(requester, address.value(), bytes)
        : fabric.read(requester, address.value(), bytes);
  }
}
