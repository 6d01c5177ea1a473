package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.DOMAIN;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.ProtectedMemoryFields;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.TranslationType;
import java.util.stream.Stream;

/** What a unit does that lacks what the model unit has, over HTTP: spec/vtd.md 7.2 to 7.5, 7.8. */
final class UnitPoorAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final long IOVA = 0x5000;
  private static final long UNMAPPED = 0x9000;
  private static final long FRAME = 0x8000_0000L;
  private static final int INDEX = 7;

  /** What such a unit announces; its write buffer has to be flushed. */
  static Capabilities capabilities() {
    Capabilities poor = ModelUnit.with(CapabilityFields.MGAW, 38);
    poor = ModelUnit.with(poor, CapabilityFields.ZLR, 0);
    poor = ModelUnit.with(poor, CapabilityFields.SLLPS, 0);
    poor = ModelUnit.with(poor, CapabilityFields.PLMR, 0);
    poor = ModelUnit.with(poor, CapabilityFields.PHMR, 0);
    poor = ModelUnit.with(poor, CapabilityFields.PSI, 0);
    poor = ModelUnit.with(poor, CapabilityFields.NFR, 0);
    poor = ModelUnit.with(poor, CapabilityFields.RWBF, 1);
    poor = ModelUnit.with(poor, ExtendedCapabilityFields.SC, 0);
    poor = ModelUnit.with(poor, ExtendedCapabilityFields.EIM, 0);
    return ModelUnit.with(poor, ExtendedCapabilityFields.PT, 0);
  }

  @Override
  public BareUnit start() {
    return BareUnit.on(capabilities());
  }

  @Override
  public void begin(BareUnit it) {
    it.translate();
    it.map(IOVA, FRAME);
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.concat(registers(), requests());
  }

  private static Stream<Row<BareUnit>> registers() {
    return Stream.of(
        row(
            "B10 without protected regions nothing can be protected",
            it -> {
              it.write(Register.PMEN, ProtectedMemoryFields.EPM.mask());

              assertThat(it.read(Register.PMEN)).isZero();
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
            }),
        row(
            "B13 a page-selective command is refused",
            it -> {
              assertThat(it.dmaRead(IOVA, 4).done()).isTrue();

              it.write(Register.IVA, IotlbCommand.address(IOVA, 0, false));
              it.write(Register.IOTLB, IotlbCommand.pages(DOMAIN));

              assertThat(IotlbCommand.IVT.isSet(it.read(Register.IOTLB))).isFalse();
              assertThat(IotlbCommand.IAIG.get(it.read(Register.IOTLB))).isZero();
              assertThat(it.dmaRead(IOVA, 4).hitCache()).isTrue();
            }),
        row(
            "B14 without extended interrupts a message has no upper address",
            it -> {
              it.write(Register.FEUADDR, 0xffff_ffffL);

              assertThat(it.read(Register.FEUADDR)).isZero();
            }),
        row(
            "B18 what the write buffer holds is not seen before it is flushed",
            it -> {
              assertThat(it.dmaRead(UNMAPPED, 4).fault()).isEqualTo(0x6);
              it.map(UNMAPPED, FRAME);
              assertThat(it.dmaRead(UNMAPPED, 4).fault()).isEqualTo(0x6);

              it.command(GlobalCommand.WBF, true);

              assertThat(it.dmaRead(UNMAPPED, 4).landedAt(FRAME)).isTrue();
              long another = UNMAPPED + 0x1000;
              assertThat(it.dmaRead(another, 4).fault()).isEqualTo(0x6);
              it.map(another, FRAME);
              assertThat(it.dmaRead(another, 4).fault()).isEqualTo(0x6);
              UnitCachesAcceptanceTest.flushDomain(it, DOMAIN + 1);
              assertThat(it.dmaRead(another, 4).landedAt(FRAME)).isTrue();
            }),
        row(
            "B74 the only record taken, the next fault overflows",
            it -> {
              it.dmaRead(UNMAPPED, 4);
              assertThat(it.isSet(Register.FSTS, FaultStatus.PFO)).isFalse();

              assertThat(it.dmaWrite(UNMAPPED, 1).recorded()).isFalse();

              assertThat(it.isSet(Register.FSTS, FaultStatus.PFO)).isTrue();
              assertThat(it.listing("faults")).hasSize(1);
              assertThat(it.record(0).reasonCode()).isEqualTo(0x6);
            }));
  }

  private static Stream<Row<BareUnit>> requests() {
    return Stream.of(
        row(
            "B29 translation types that mean nothing here",
            it -> {
              it.context(X, new ContextEntry(it.entry().lo() | 0b1100, it.entry().hi()));
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x3);
              it.context(
                  X,
                  ContextEntry.of(
                      TranslationType.SECOND_STAGE_WITH_DEVICE_TLB,
                      it.pageTable(),
                      AddressWidth.BITS_48,
                      DOMAIN));
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x3);
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
            "B128 an entry that posts, on a unit that does not",
            it -> {
              var host = new UnitInterruptsAcceptanceTest.Host(it);
              host.begin(false);
              host.put(INDEX, InterruptEntry.posted(FRAME, 0x41, false));

              assertThat(host.send(INDEX).fault()).isEqualTo(0x24);
              assertThat(it.word(FRAME)).isZero();
            }));
  }
}
