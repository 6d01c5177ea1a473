package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.DOMAIN;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.Register;
import java.util.stream.Stream;

/** What a unit in caching mode remembers, over HTTP: spec/vtd.md 7.6. */
final class UnitCachingModeAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final long IOVA = 0x3000;
  private static final long FRAME = 0x8000_0000L;

  @Override
  public BareUnit start() {
    return BareUnit.on(ModelUnit.with(CapabilityFields.CM, 1));
  }

  @Override
  public void begin(BareUnit it) {
    it.translate();
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(
        row(
            "B89 an absent page is remembered under the domain's own id",
            it -> {
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x6);
              it.map(IOVA, FRAME);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x6);
              UnitCachesAcceptanceTest.flushDomain(it, 0);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x6);
              UnitCachesAcceptanceTest.flushPages(it, IOVA, 0, false);
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
            }),
        row(
            "B90 an absent context is remembered under domain-id 0",
            it -> {
              it.map(IOVA, FRAME);
              it.context(X, ContextEntry.ABSENT);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x2);
              it.context(X, it.entry());
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x2);
              it.write(Register.CCMD, ContextCommand.device(DOMAIN, X, 0));
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x2);
              it.write(Register.CCMD, ContextCommand.device(0, X, 0));
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
            }));
  }
}
