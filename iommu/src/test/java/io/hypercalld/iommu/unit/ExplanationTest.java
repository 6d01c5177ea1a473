package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.READ;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.unit.ExplainStep.Verdict;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ExplanationTest {
  private final SimulatedUnit it = SimulatedUnit.on();

  @AfterEach
  void close() {
    it.close();
  }

  private Explanation read(long iova) {
    return it.unit.explain(X, iova, DmaAccess.READ);
  }

  private Explanation write(long iova) {
    return it.unit.explain(X, iova, DmaAccess.WRITE);
  }

  @Test
  void mappedPage_isFollowedEntryByEntry() {
    it.map(0x5000, 0x9000);

    Explanation explanation = read(0x5123);

    assertThat(explanation.verdict()).isEqualTo("maps to 0x9123");
    assertThat(explanation.steps())
        .extracting(ExplainStep::table)
        .containsExactly(
            Table.CONTEXT_CACHE,
            Table.ROOT,
            Table.CONTEXT,
            Table.IOTLB,
            Table.SECOND_LEVEL,
            Table.SECOND_LEVEL,
            Table.SECOND_LEVEL,
            Table.SECOND_LEVEL);
    assertThat(explanation.steps())
        .extracting(ExplainStep::level)
        .containsExactly(0, 0, 0, 0, 4, 3, 2, 1);
    ExplainStep leaf = explanation.steps().getLast();
    assertThat(leaf.address()).isEqualTo(it.slot(0x5000, 1));
    assertThat(leaf.raw()).isEqualTo("0x9003");
    assertThat(leaf.verdict()).isEqualTo(Verdict.LEAF);
    assertThat(leaf.fields()).containsKey("ADDR");
    assertThat(explanation.wouldPassIf()).isEmpty();
    assertThat(explanation.steps().get(2).raw()).isEqualTo("0x502%016x".formatted(it.entry().lo()));
  }

  @Test
  void explaining_changesNothing() {
    it.map(0x5000, 0x9000);
    it.read(0x5000);
    String before = it.digest();
    long reads = it.unit.counters().entryReads();

    read(0x5000);
    read(0x6000);
    it.unit.explain(new io.hypercalld.iommu.pci.SourceId(0x100), 0, DmaAccess.WRITE);

    assertThat(it.digest()).isEqualTo(before);
    assertThat(it.unit.counters().entryReads()).isEqualTo(reads);
    assertThat(it.unit.faults()).isEmpty();
  }

  @Test
  void missingPermission_isNamedWithItsEntry() {
    it.map(0x5000, 0x9000, READ);

    Explanation explanation = write(0x5000);

    assertThat(explanation.reason()).contains(FaultReason.WRITE_NOT_PERMITTED);
    assertThat(explanation.recorded()).isTrue();
    assertThat(explanation.wouldPassIf())
        .contains(
            "the second-level entry of level 1 at 0x%x had W set".formatted(it.slot(0x5000, 1)));
  }

  @Test
  void absentContext_isNamed() {
    it.context(0, 0);

    Explanation explanation = read(0x5000);

    assertThat(explanation.reason()).contains(FaultReason.CONTEXT_NOT_PRESENT);
    assertThat(explanation.wouldPassIf().orElseThrow()).startsWith("the context entry at 0x");
    assertThat(explanation.steps().getLast().verdict()).isEqualTo(Verdict.BLOCKED);
  }

  @Test
  void suppressedFault_isSaidToBeUnrecorded() {
    it.context(X, it.entry().withFaultProcessingDisabled(true));

    assertThat(read(0x5000).recorded()).isFalse();
  }

  @Test
  void staleTranslation_isUsedAndNamed() {
    it.map(0x5000, 0x9000);
    it.read(0x5000);
    it.put(0x5000, 1, 0);

    Explanation explanation = read(0x5000);

    assertThat(explanation.verdict()).isEqualTo("maps to 0x9000");
    assertThat(explanation.cached()).isTrue();
    assertThat(explanation.stale()).isTrue();
    it.iotlbCommand(IotlbCommand.domain(DOMAIN));
    assertThat(read(0x5000).stale()).isFalse();
    assertThat(read(0x5000).passes()).isFalse();
  }

  @Test
  void stalePermission_wouldPassAfterAnInvalidation() {
    it.map(0x5000, 0x9000, READ);
    it.read(0x5000);
    it.map(0x5000, 0x9000);

    Explanation explanation = write(0x5000);

    assertThat(explanation.stale()).isTrue();
    assertThat(explanation.reason()).contains(FaultReason.WRITE_NOT_PERMITTED);
    assertThat(explanation.wouldPassIf())
        .contains("the iotlb entry, which memory contradicts, were invalidated");
  }

  @Test
  void staleContext_isUsedAndNamed() {
    it.map(0x5000, 0x9000);
    it.read(0x5000);
    it.context(X, ContextEntry.translating(it.newTable(), AddressWidth.BITS_48, 6));

    Explanation explanation = read(0x5000);

    assertThat(explanation.stale()).isTrue();
    assertThat(explanation.maddr()).isEqualTo(0x9000);
  }

  @Test
  void translationOff_passes() {
    it.command(GlobalCommand.TE, false);

    assertThat(read(0x5000).verdict()).isEqualTo("passes untranslated to 0x5000");
  }

  @Test
  void protectedRegion_blocks() {
    it.map(0x5000, 0x100_0000);
    it.unit.write32(Register.PLMBASE.offset(), 0x100_0000);
    it.unit.write32(Register.PLMLIMIT.offset(), 0x100_0000);
    it.unit.write32(Register.PMEN.offset(), 0x8000_0000);

    Explanation explanation = read(0x5000);

    assertThat(explanation.outcome()).isEqualTo(Translation.Outcome.PROTECTED);
    assertThat(explanation.wouldPassIf()).contains("PMEN.EPM were clear");
  }
}
