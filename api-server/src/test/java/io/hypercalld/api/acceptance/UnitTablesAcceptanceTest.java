package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.BEYOND_RAM;
import static io.hypercalld.api.acceptance.BareUnit.DOMAIN;
import static io.hypercalld.api.acceptance.BareUnit.READ;
import static io.hypercalld.api.acceptance.BareUnit.WRITE;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.TranslationType;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Root, context and page tables of the model unit, over HTTP: spec/vtd.md 7.3 and 7.4. */
final class UnitTablesAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final long IOVA = 0x12_3456_7000L;
  private static final long FRAME = 0x8000_0000L;
  private static final SourceId NEIGHBOUR = new SourceId(0x0387);
  private static final SourceId LAST = new SourceId(0x03ff);
  private static final SourceId OTHER_BUS = new SourceId(0x0400);

  @Override
  public BareUnit start() {
    return BareUnit.model();
  }

  @Override
  public void begin(BareUnit it) {
    it.translate();
    it.map(IOVA, FRAME);
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(
            roots(), contexts(), passThrough(), widths(), permissions(), formats(), pages())
        .flatMap(rows -> rows);
  }

  private static Row<BareUnit> readFaults(String name, int reason, Consumer<BareUnit> breakIt) {
    return row(
        name,
        it -> {
          breakIt.accept(it);
          UnitDma dma = it.dmaRead(IOVA, 4);
          assertThat(dma.fault()).isEqualTo(reason);
          assertThat(dma.recorded()).isTrue();
          assertThat(it.record(0).reasonCode()).isEqualTo(reason);
          assertThat(it.record(0).iova()).isEqualTo(IOVA);
        });
  }

  private static Row<BareUnit> faultsBothWays(String name, Consumer<BareUnit> breakIt) {
    return row(
        name,
        it -> {
          breakIt.accept(it);
          assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x6);
          assertThat(it.dmaWrite(IOVA, 1).fault()).isEqualTo(0x5);
        });
  }

  private static void root(BareUnit it, long lo, long hi) {
    it.poke(it.rootTable() + RootEntry.offset(X), lo, hi);
  }

  private static long rootLo(BareUnit it) {
    return it.word(it.rootTable() + RootEntry.offset(X));
  }

  private static Stream<Row<BareUnit>> roots() {
    return Stream.of(
        row(
            "B19 an absent root entry, and another bus's that is fine",
            it -> {
              it.context(OTHER_BUS, it.entry());
              root(it, 0, 0);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x1);
              assertThat(it.record(0).reasonCode()).isEqualTo(0x1);
              assertThat(it.dmaRead(OTHER_BUS, IOVA, 4).landedAt(FRAME)).isTrue();
            }),
        readFaults("B20 a root entry with bit 5 set", 0xa, it -> root(it, rootLo(it) | 1 << 5, 0)),
        readFaults("B21 a root entry with an upper word", 0xa, it -> root(it, rootLo(it), 1)),
        row(
            "B22 a context table beyond the host, and one outside memory",
            it -> {
              root(it, 1L << 46 | 1, 0);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0xa);
              root(it, BEYOND_RAM | 1, 0);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x9);
            }),
        readFaults("B23 a root table outside memory", 0x8, it -> it.setRootPointer(BEYOND_RAM)),
        readFaults(
            "B37 an absent root entry, although a neighbour's FPD is set",
            0x1,
            it -> {
              it.context(NEIGHBOUR, it.entry().withFaultProcessingDisabled(true));
              assertThat(it.dmaRead(NEIGHBOUR, IOVA, 4).done()).isTrue();
              root(it, 0, 0);
            }));
  }

  private static void context(BareUnit it, long lo, long hi) {
    it.context(X, new ContextEntry(it.entry().lo() ^ lo, it.entry().hi() ^ hi));
  }

  private static void context(BareUnit it, TranslationType type, AddressWidth width) {
    it.context(X, ContextEntry.of(type, it.pageTable(), width, DOMAIN));
  }

  private static Stream<Row<BareUnit>> contexts() {
    return Stream.of(
        readFaults("B24 an absent context entry", 0x2, it -> context(it, 1, 0)),
        row(
            "B25 an absent context entry with FPD set blocks in silence",
            it -> {
              context(it, 0b11, 0);
              UnitDma dma = it.dmaRead(IOVA, 4);
              assertThat(dma.fault()).isEqualTo(0x2);
              assertThat(dma.recorded()).isFalse();
              assertThat(it.read(Register.FSTS)).isZero();
              assertThat(it.isSet(Register.FECTL, EventControl.IP)).isFalse();
              it.write(Register.FECTL, 0);
              assertThat(it.counter("/interrupts/events")).isZero();
            }),
        row(
            "B26 reserved bits of a context entry, in silence with FPD",
            it -> {
              context(it, 1 << 4, 0);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0xb);
              context(it, 0, 1 << 7);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0xb);
              context(it, 0, 1 << 24);
              UnitDma third = it.dmaRead(IOVA, 4);
              assertThat(third.fault()).isEqualTo(0xb);
              assertThat(third.recorded()).isTrue();
              context(it, 1 << 4 | 0b10, 0);
              UnitDma silent = it.dmaRead(IOVA, 4);
              assertThat(silent.fault()).isEqualTo(0xb);
              assertThat(silent.recorded()).isFalse();
            }),
        passes(
            "B27 software's bits of a context entry are ignored", it -> context(it, 0, 0xf << 3)),
        readFaults("B28 a domain-id beyond ND", 0xb, it -> context(it, 0, 0x100L << 8)),
        row(
            "B30 address widths of two and of five levels",
            it -> {
              context(it, 0, 0b10);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x3);
              context(it, 0, 0b01);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x3);
            }),
        readFaults(
            "B34 a top table outside memory",
            0x3,
            it ->
                it.context(X, ContextEntry.translating(BEYOND_RAM, AddressWidth.BITS_48, DOMAIN))),
        row(
            "B35 one domain-id with two tables answers with the first walker's page",
            it -> {
              it.context(
                  NEIGHBOUR, ContextEntry.translating(it.newPage(), AddressWidth.BITS_48, DOMAIN));
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
              assertThat(it.dmaRead(NEIGHBOUR, IOVA, 4).landedAt(FRAME)).isTrue();
            }));
  }

  private static Row<BareUnit> passes(String name, Consumer<BareUnit> change) {
    return row(
        name,
        it -> {
          change.accept(it);
          assertThat(it.dmaRead(IOVA + 8, 4).landedAt(FRAME + 8)).isTrue();
        });
  }

  private static Stream<Row<BareUnit>> passThrough() {
    return Stream.of(
        readFaults(
            "B31 pass-through that does not name the widest width",
            0x3,
            it -> context(it, TranslationType.PASS_THROUGH, AddressWidth.BITS_39)),
        row(
            "B32 pass-through, whatever its table address says",
            it -> {
              ContextEntry entry =
                  ContextEntry.of(
                      TranslationType.PASS_THROUGH,
                      0xf_ffff_ffff_f000L,
                      AddressWidth.BITS_48,
                      DOMAIN);
              it.context(X, entry);
              assertThat(it.dmaRead(FRAME, 4).landedAt(FRAME)).isTrue();
              assertThat(it.dmaWrite(FRAME, 7).landedAt(FRAME)).isTrue();
              assertThat(it.dmaRead(1L << 46, 4).fault()).isEqualTo(0x4);
            }),
        row(
            "B36 the last function of a bus has the last entry",
            it -> {
              long table = new RootEntry(rootLo(it), 0).contextTable();
              it.poke(table + 254 * 16, it.entry().lo(), it.entry().hi());
              assertThat(it.dmaRead(LAST, IOVA, 4).fault()).isEqualTo(0x2);
              it.poke(table + 255 * 16, it.entry().lo(), it.entry().hi());
              assertThat(it.dmaRead(LAST, IOVA, 4).landedAt(FRAME)).isTrue();
            }));
  }

  private static Stream<Row<BareUnit>> widths() {
    return Stream.of(
        row(
            "B38 an address beyond a 39-bit entry",
            it -> {
              context(it, TranslationType.SECOND_STAGE, AddressWidth.BITS_39);
              it.poke(it.slot(it.pageTable(), 3, 0x7f_ffff_f000L, 1), FRAME | 3);
              assertThat(it.dmaRead(0x7f_ffff_ffffL, 1).landedAt(FRAME | 0xfff)).isTrue();
              assertThat(it.dmaRead(0x80_0000_0000L, 4).fault()).isEqualTo(0x4);
            }),
        row(
            "B39 a sign-extended address is beyond the width",
            it -> assertThat(it.dmaRead(0xffff_8000_0000_0000L, 4).fault()).isEqualTo(0x4)));
  }

  private static void put(BareUnit it, int level, long entry) {
    it.put(IOVA, level, entry);
  }

  private static long entry(BareUnit it, int level) {
    return it.word(it.slot(it.pageTable(), 4, IOVA, level));
  }

  private static Stream<Row<BareUnit>> permissions() {
    return Stream.of(
        faultsBothWays("B41 an empty entry of level 4", it -> put(it, 4, 0)),
        row(
            "B42 a read-only page is read and not written",
            it -> {
              put(it, 1, FRAME | READ);
              assertThat(it.dmaWrite(IOVA, 1).fault()).isEqualTo(0x5);
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
            }),
        faultsBothWays(
            "B44 an absent entry full of reserved bits",
            it -> put(it, 1, 1L << 11 | 1L << 51 | 1L << 62)),
        row(
            "B63 an atomic operation needs W as well",
            it -> {
              put(it, 1, FRAME | READ);
              long before = it.word(FRAME);
              UnitDma dma = it.dmaAdd(IOVA, 1);
              assertThat(dma.fault()).isEqualTo(0x5);
              assertThat(it.record(0).reasonCode()).isEqualTo(0x5);
              assertThat(it.word(FRAME)).isEqualTo(before);
            }),
        row(
            "3.2 an atomic operation changes memory and answers with what was there",
            it -> {
              it.poke(FRAME, 7);
              assertThat(it.dmaAdd(IOVA, 5).body().get("data").asText()).isEqualTo("07000000");
              assertThat(it.word(FRAME)).isEqualTo(12);
            }),
        row(
            "B45 a read-only table, written through",
            it -> {
              put(it, 3, entry(it, 3) & ~WRITE);
              assertThat(it.dmaWrite(IOVA, 1).fault()).isEqualTo(0x5);
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
            }),
        row(
            "B57 a reserved bit and no permission",
            it -> {
              put(it, 1, FRAME | READ | 1L << 62);
              assertThat(it.dmaWrite(IOVA, 1).fault()).isEqualTo(0x5);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0xc);
              put(it, 1, FRAME | WRITE | 1L << 62);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x6);
            }));
  }

  private static Stream<Row<BareUnit>> formats() {
    return Stream.of(
        readFaults("B47 TM without device-TLBs", 0xc, it -> put(it, 1, FRAME | 3 | 1L << 62)),
        readFaults("B48 a page beyond the host", 0xc, it -> put(it, 1, 1L << 46 | 3)),
        passes("B49 software's bits are ignored", it -> put(it, 1, FRAME | 3 | 0xbffL << 52)),
        passes("B50 bit 7 of a 4 KiB page is ignored", it -> put(it, 1, FRAME | 3 | 1 << 7)),
        readFaults("B52 a 2 MiB page with bit 12", 0xc, it -> put(it, 2, FRAME | 0x83 | 1 << 12)),
        readFaults("B54 PS in level 4", 0xc, it -> put(it, 4, entry(it, 4) | 1 << 7)),
        row(
            "B56 a table of level 3 outside memory, and one of level 2",
            it -> {
              put(it, 3, BEYOND_RAM | 3);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x7);
              put(it, 4, BEYOND_RAM | 3);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x7);
            }));
  }

  private static Stream<Row<BareUnit>> pages() {
    return Stream.of(
        row(
            "B51 a 2 MiB page",
            it -> {
              it.put(0x20_0000L, 2, FRAME | 0x83);
              assertThat(it.dmaRead(0x2a_bcdeL, 1).landedAt(FRAME + 0xa_bcdeL)).isTrue();
            }),
        row(
            "B58 a 1 GiB page",
            it -> {
              it.put(0x4_1234_5678L, 3, FRAME | 0x83);
              assertThat(it.dmaRead(0x4_1234_5678L, 4).landedAt(FRAME + 0x1234_5678L)).isTrue();
            }),
        row(
            "B59 a burst across the end of what is mapped",
            it -> {
              it.poke(FRAME + 0xff8, 0x1122_3344_5566_7788L);
              UnitDma dma = it.dmaRead(IOVA + 0xff8, 16);
              assertThat(dma.body().get("outcome").asText()).isEqualTo("partial");
              assertThat(dma.fault()).isEqualTo(0x6);
              assertThat(it.record(0).iova()).isEqualTo(IOVA + 0x1000);
              assertThat(dma.landedAt(FRAME + 0xff8)).isTrue();
              assertThat(dma.body().get("data").asText()).startsWith("8877665544332211");
            }),
        row(
            "B60 a page in the interrupt range, and what passes through as it is",
            it -> {
              put(it, 1, 0xfee0_0003L);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0xe);
              context(it, TranslationType.PASS_THROUGH, AddressWidth.BITS_48);
              it.write(Register.CCMD, ContextCommand.global());
              assertThat(it.dmaWrite(0xfee0_0000L, 0x31).end()).isEqualTo("interrupt");
            }),
        row(
            "B62 a read of the interrupt range is a request that nobody supports",
            it -> {
              it.map(0xfee0_0000L, FRAME);
              UnitDma dma = it.dmaRead(0xfee0_0000L, 4);
              assertThat(dma.done()).isFalse();
              assertThat(dma.fault()).isZero();
              assertThat(dma.body().get("data").asText()).isEqualTo("ffffffff");
              assertThat(it.read(Register.FSTS)).isZero();
            }),
        row(
            "B64 legacy mode marks nothing accessed or dirty",
            it -> {
              long[] before = {entry(it, 1), entry(it, 2), entry(it, 3), entry(it, 4)};
              assertThat(it.dmaRead(IOVA, 4).done()).isTrue();
              assertThat(it.dmaWrite(IOVA, 1).done()).isTrue();
              assertThat(it.dmaAdd(IOVA, 1).done()).isTrue();
              assertThat(new long[] {entry(it, 1), entry(it, 2), entry(it, 3), entry(it, 4)})
                  .isEqualTo(before);
              assertThat(before[0]).isEqualTo(FRAME | SecondStageEntry.READ_WRITE);
            }));
  }
}
