package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.stream.Stream;

/**
 * A unit that a platform's file has use freedoms of the specification otherwise, over HTTP:
 * spec/vtd.md 1.5, 1.7, 3.5.
 */
final class UnitHabitsAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final SourceId NEIGHBOUR = new SourceId(0x0387);
  private static final long UNMAPPED = 0x7000;
  private static final long IOVA = 0x5000;

  @Override
  public BareUnit start() {
    return BareUnit.withHabits(
        ModelUnit.CAPABILITIES,
        "collapsesFaults: true, forgetsWhenSwitched: true, remembersTables: false");
  }

  @Override
  public void begin(BareUnit it) {
    it.translate();
    it.context(NEIGHBOUR, it.entry());
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(
        row(
            "1.7 a requester has one record at a time, where faults collapse",
            it -> {
              assertThat(it.dmaRead(UNMAPPED, 4).recorded()).isTrue();
              UnitDma again = it.dmaWrite(UNMAPPED + 0x1000, 1);
              assertThat(again.fault()).isEqualTo(0x5);
              assertThat(again.recorded()).isFalse();
              assertThat(it.dmaRead(NEIGHBOUR, UNMAPPED, 4).recorded()).isTrue();
              assertThat(it.listing("faults")).hasSize(2);

              it.clearRecord(0);

              assertThat(it.dmaRead(UNMAPPED, 4).recorded()).isTrue();
              assertThat(it.record(2).isPending()).isTrue();
              assertThat(it.isSet(Register.FSTS, FaultStatus.PFO)).isFalse();
            }),
        row(
            "1.5 translation that is switched off and on finds what is in memory",
            it -> {
              long before = it.newPage();
              long after = it.newPage();
              it.map(IOVA, before);
              assertThat(it.dmaRead(IOVA, 4).landedAt(before)).isTrue();
              it.map(IOVA, after);
              assertThat(it.dmaRead(IOVA, 4).landedAt(before)).isTrue();

              it.command(GlobalCommand.TE, false);
              it.command(GlobalCommand.TE, true);

              assertThat(it.dmaRead(IOVA, 4).landedAt(after)).isTrue();
            }),
        row(
            "3.4 a table that nobody remembers is read anew for its next page",
            it -> {
              long frame = it.newPage();
              it.map(IOVA, frame);
              it.map(IOVA + 0x1000, frame);
              assertThat(it.dmaRead(IOVA, 4).done()).isTrue();

              it.put(IOVA, 2, 0);

              assertThat(it.dmaRead(IOVA, 4).landedAt(frame)).isTrue();
              assertThat(it.dmaRead(IOVA + 0x1000, 4).fault()).isEqualTo(0x6);
            }));
  }
}
