package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.READ_WRITE;
import static io.hypercalld.api.acceptance.BareUnit.WRITE;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.stream.Stream;

/**
 * Two units of one machine, the model unit and one that lacks much, asked the same over HTTP: what
 * spec/vtd.md 7.3 to 7.6 says of two units.
 */
final class UnitPairAcceptanceTest implements NumberedBehaviours<UnitPairAcceptanceTest.Pair> {
  private static final long IOVA = 0x5000;
  private static final long FRAME = 0x8000_0000L;
  private static final long OTHER_FRAME = 0x8100_0000L;
  private static final long SUPERPAGE = 1 << 7;

  /** The units; both know domain-id 5, and 0x5000 in it as a page of their own. */
  record Pair(BareUnit model, BareUnit poor) implements NumberedBehaviours.Host {
    @Override
    public void close() {
      model.close();
    }
  }

  @Override
  public Pair start() {
    BareUnit model = BareUnit.beside(UnitPoorAcceptanceTest.capabilities());
    return new Pair(model, model.other(UnitPoorAcceptanceTest.capabilities()));
  }

  @Override
  public void begin(Pair it) {
    it.model.translate();
    it.poor.translate();
    it.model.map(IOVA, FRAME);
    it.poor.map(IOVA, OTHER_FRAME);
  }

  @Override
  public Stream<Row<Pair>> rows() {
    return Stream.concat(formats(), apart());
  }

  private static Stream<Row<Pair>> formats() {
    return Stream.of(
        row(
            "B43 a write-only page, read for no bytes where the unit tells that from a read",
            it -> {
              it.model.map(IOVA, FRAME, WRITE);
              it.poor.map(IOVA, FRAME, WRITE);
              assertThat(it.model.dmaRead(IOVA, 4).fault()).isEqualTo(0x6);
              assertThat(it.model.dmaWrite(IOVA, 1).done()).isTrue();
              assertThat(it.model.dmaRead(IOVA, 0).done()).isTrue();
              assertThat(it.poor.dmaRead(IOVA, 0).fault()).isEqualTo(0x6);
            }),
        row(
            "B46 a snooping page, where the unit snoops and where not",
            it -> {
              long snooping = FRAME | READ_WRITE | 1 << 11;
              it.model.put(IOVA, 1, snooping);
              it.poor.put(IOVA, 1, snooping);
              assertThat(it.poor.dmaRead(IOVA, 4).fault()).isEqualTo(0xc);
              assertThat(it.model.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
            }),
        row(
            "B53 a 1 GiB page with bit 29, or where there are none",
            it -> {
              it.model.put(IOVA, 3, FRAME | READ_WRITE | SUPERPAGE | 1 << 29);
              it.poor.put(IOVA, 3, FRAME | READ_WRITE | SUPERPAGE);
              assertThat(it.model.dmaRead(IOVA, 4).fault()).isEqualTo(0xc);
              assertThat(it.poor.dmaRead(IOVA, 4).fault()).isEqualTo(0xc);
            }),
        row(
            "B55 a 2 MiB page, where there are any and where not",
            it -> {
              it.model.put(IOVA, 2, FRAME | READ_WRITE | SUPERPAGE);
              it.poor.put(IOVA, 2, FRAME | READ_WRITE | SUPERPAGE);
              assertThat(it.poor.dmaRead(IOVA, 4).fault()).isEqualTo(0xc);
              assertThat(it.model.dmaRead(IOVA, 4).landedAt(FRAME + IOVA)).isTrue();
            }));
  }

  private static Stream<Row<Pair>> apart() {
    return Stream.of(
        row(
            "B84 a fault is its own unit's",
            it -> {
              assertThat(it.model.dmaRead(0x9000, 4).recorded()).isTrue();

              assertThat(it.poor.read(Register.FSTS)).isZero();
              assertThat(it.poor.listing("faults")).isEmpty();
              assertThat(it.model.read(Register.FSTS)).isNotZero();
              assertThat(it.model.listing("faults")).hasSize(1);
            }),
        row(
            "B101 a flush on one unit leaves the other's translations of the same domain-id",
            it -> {
              assertThat(it.model.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
              assertThat(it.poor.dmaRead(IOVA, 4).landedAt(OTHER_FRAME)).isTrue();
              it.model.put(IOVA, 1, 0);
              it.poor.put(IOVA, 1, 0);

              it.model.write(Register.IOTLB, IotlbCommand.domain(BareUnit.DOMAIN));

              assertThat(it.model.dmaRead(IOVA, 4).fault()).isEqualTo(0x6);
              assertThat(it.poor.dmaRead(IOVA, 4).landedAt(OTHER_FRAME)).isTrue();
            }));
  }
}
