package io.hypercalld.iommu.driver;

import static io.hypercalld.iommu.driver.SimulatedMachine.NVME;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.audit.Violation;
import io.hypercalld.iommu.unit.DmaOutcome.Verdict;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Software that changes tables behind the driver's back and forgets to flush. */
class StaleTranslationTest {
  private final SimulatedMachine machine = SimulatedMachine.boot();
  private final MachineMemory memory = machine.hypervisor.memory();
  private final Domain guest = machine.guest(16, true);

  @AfterEach
  void stop() {
    machine.close();
  }

  @Test
  void clearedLeaf_withoutFlush_isStillUsed_andTheAuditNamesIt() {
    machine.assign(NVME, guest);
    machine.write(NVME, 0x3000, "01");
    long maddr = guest.p2m().lookup(new Gfn(3)).mfn().maddr();

    memory.writeWord(leafAddress(0x3000), 0);

    assertThat(machine.write(NVME, 0x3000, "02").verdict()).isEqualTo(Verdict.DONE);
    assertThat(memory.readInt(maddr) & 0xff).isEqualTo(2);
    assertThat(violations())
        .contains(
            new Violation(
                "I6",
                "iommu 1 remembers 0x3000 -> 0x%x for domain-id 1 of d1, the tables say nothing"
                    .formatted(maddr)));
  }

  @Test
  void clearedLeaf_afterAPageFlush_blocks_andOnlyTheMirrorDiffers() {
    machine.assign(NVME, guest);
    machine.write(NVME, 0x3000, "01");
    memory.writeWord(leafAddress(0x3000), 0);

    flushPage(0x3000);

    assertThat(machine.write(NVME, 0x3000, "02").verdict()).isEqualTo(Verdict.BLOCKED);
    assertThat(violations()).extracting(Violation::invariant).containsExactly("I9");
  }

  @Test
  void clearedContextEntry_withoutFlush_isStillUsed_andTheAuditNamesIt() {
    machine.assign(NVME, guest);
    machine.write(NVME, 0x3000, "01");

    memory.writeWord(contextAddress(), 0);

    assertThat(machine.write(NVME, 0x4000, "02").verdict()).isEqualTo(Verdict.DONE);
    assertThat(violations())
        .extracting(Violation::invariant)
        .containsExactly("I2", "I6", "I4", "I4");
  }

  private List<Violation> violations() {
    return machine.violations();
  }

  private long contextAddress() {
    long root = machine.unit(1).rootTable() + (long) NVME.bus() * RootEntry.BYTES;
    return new RootEntry(memory.readWord(root), 0).contextTable()
        + ContextEntry.offset(NVME.sourceId());
  }

  private long leafAddress(long iova) {
    ContextEntry entry = machine.unit(1).contextEntry(NVME.sourceId());
    long table = entry.secondStageRoot();
    int levels = AddressWidth.of(entry.addressWidthEncoding()).orElseThrow().levels();
    for (int level = levels; level > 1; level--) {
      table =
          SecondStageEntry.target(memory.readWord(table + SecondStageEntry.offset(iova, level)));
    }
    return table + SecondStageEntry.offset(iova, 1);
  }

  /** A second driver on the same silicon: it uses the queue that the first one left behind. */
  private void flushPage(long iova) {
    var unit = machine.units.get(1);
    long tail = unit.read64(Register.IQT.offset());
    int did = machine.unit(1).domainIdOf(guest.id()).orElseThrow();
    InvalidationDescriptor page = InvalidationDescriptor.pageTranslations(did, iova, 0, false);
    long ring = unit.read64(Register.IQA.offset());
    memory.writeWord(ring + tail, page.lo());
    memory.writeWord(ring + tail + Long.BYTES, page.hi());
    unit.write64(Register.IQT.offset(), tail + InvalidationDescriptor.BYTES);
  }
}
