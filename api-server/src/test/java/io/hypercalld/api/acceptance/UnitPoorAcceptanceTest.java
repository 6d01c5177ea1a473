package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.DOMAIN;
import static io.hypercalld.api.acceptance.BareUnit.WRITE;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import java.util.stream.Stream;

/** What a unit does that lacks what the model unit has, over HTTP: spec/vtd.md 7.3 and 7.4. */
final class UnitPoorAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final long IOVA = 0x5000;
  private static final long FRAME = 0x8000_0000L;

  @Override
  public BareUnit start() {
    Capabilities poor = ModelUnit.with(CapabilityFields.MGAW, 38);
    poor = ModelUnit.with(poor, CapabilityFields.ZLR, 0);
    poor = ModelUnit.with(poor, CapabilityFields.SLLPS, 0);
    poor = ModelUnit.with(poor, ExtendedCapabilityFields.SC, 0);
    return BareUnit.on(ModelUnit.with(poor, ExtendedCapabilityFields.PT, 0));
  }

  @Override
  public void begin(BareUnit it) {
    it.translate();
    it.map(IOVA, FRAME);
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(
        row(
            "B29 pass-through on a unit without it",
            it -> {
              it.context(X, ContextEntry.passingThrough(AddressWidth.BITS_48, DOMAIN));
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x3);
            }),
        row(
            "B40 four levels, but 39 bits",
            it -> {
              it.map(0x80_0000_0000L, FRAME);
              assertThat(it.dmaRead(0x80_0000_0000L, 4).fault()).isEqualTo(0x4);
              assertThat(it.dmaRead(IOVA, 4).done()).isTrue();
            }),
        row(
            "B43 a zero-length read is a read",
            it -> {
              it.map(IOVA, FRAME, WRITE);
              assertThat(it.dmaRead(IOVA, 0).fault()).isEqualTo(0x6);
            }),
        row(
            "B46 a snooping page without snoop control",
            it -> {
              it.put(IOVA, 1, FRAME | 3 | 1 << 11);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0xc);
            }),
        row(
            "B53 a 1 GiB page on a unit without them",
            it -> {
              it.put(0x4000_0000L, 3, FRAME | 0x83);
              assertThat(it.dmaRead(0x4000_0000L, 4).fault()).isEqualTo(0xc);
            }),
        row(
            "B55 a 2 MiB page on a unit without them",
            it -> {
              it.put(0x20_0000L, 2, FRAME | 0x83);
              assertThat(it.dmaRead(0x20_0000L, 4).fault()).isEqualTo(0xc);
            }));
  }
}
