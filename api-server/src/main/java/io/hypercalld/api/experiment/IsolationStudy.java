package io.hypercalld.api.experiment;

import io.hypercalld.api.experiment.AddressModeAnswer.Reach;
import io.hypercalld.api.machine.DmaVerdicts;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.Victim;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.DmaSegment;
import java.util.Optional;

/**
 * What a driver domain of bad intent can reach: its device tries every page of the machine's
 * memory, and says whose each frame is where it arrives. Confined to the thread that runs the
 * experiment.
 *
 * @see "spec/documents.md S3-Q6"
 */
final class IsolationStudy {
  /** Room for the domains, and some to spare. */
  private static final long MACHINE_BYTES = 2L << 30;

  private static final int HONEST_PAGES = 4;

  /** A request for no bytes is translated and checked as any other. */
  private static final byte[] NOTHING = {};

  private final Machine machine;
  private final DmaRequester card;
  private final DmaVerdicts verdicts;
  private long probed;
  private long own;
  private long foreign;
  private long hypervisor;
  private long nobody;

  private IsolationStudy(Machine machine) {
    this.machine = machine;
    this.card = machine.requester(DriverBench.CARD);
    this.verdicts = machine.dmaVerdicts();
  }

  /** All frames, with a few pages mapped as an honest driver has them. */
  static Reach of(DmaMode mode) {
    try (DriverBench bench = new DriverBench(mode, MACHINE_BYTES)) {
      long mapped = bench.mapped(HONEST_PAGES).size();
      IsolationStudy study = new IsolationStudy(bench.machine());
      study.probeAll();
      return study.result(mode, mapped);
    }
  }

  private void probeAll() {
    FrameTable frames = machine.hypervisor().frames();
    long end = machine.hypervisor().memory().map().highTop() >>> PageSize.SHIFT_4K;
    for (long frame = 0; frame < end; frame++) {
      if (frames.contains(frame)) {
        probe(frame << PageSize.SHIFT_4K);
      }
    }
  }

  private void probe(long bus) {
    probed++;
    DmaOutcome outcome = machine.rootComplex().read(card, bus, NOTHING);
    if (outcome.segments().getFirst().end() instanceof DmaSegment.Moved moved) {
      count(verdicts.victim(DriverBench.CARD, moved.maddr(), false));
    }
  }

  private void count(Optional<Victim> victim) {
    if (victim.isEmpty()) {
      own++;
    } else if (victim.get().owner().isEmpty()) {
      nobody++;
    } else if (victim.get().owner().get().value() >= DomainId.SELF.value()) {
      hypervisor++;
    } else {
      foreign++;
    }
  }

  private Reach result(DmaMode mode, long mapped) {
    return new Reach(mode, probed, own, foreign, hypervisor, nobody, hypervisor + nobody, mapped);
  }
}
