package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.DOMAIN;
import static io.hypercalld.api.acceptance.BareUnit.READ;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Caches and invalidation of the model unit, over HTTP: spec/vtd.md 7.6. */
final class UnitCachesAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final long IOVA = 0x3000;
  private static final long FRAME = 0x8000_0000L;
  private static final long OTHER = 0x8100_0000L;
  private static final SourceId NEIGHBOUR = new SourceId(0x0387);
  private static final SourceId FIRST = new SourceId(0x0380);
  private static final SourceId NEXT = new SourceId(0x0388);

  @Override
  public BareUnit start() {
    return BareUnit.model();
  }

  @Override
  public void begin(BareUnit it) {
    it.translate();
    it.map(IOVA, FRAME);
    assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(pages(), superpages(), contexts(), requesters()).flatMap(rows -> rows);
  }

  static void flushDomain(BareUnit it, int domainId) {
    it.write(Register.IOTLB, IotlbCommand.domain(domainId));
  }

  static void flushPages(BareUnit it, long iova, int addressMask, boolean leavesOnly) {
    it.write(Register.IVA, IotlbCommand.address(iova, addressMask, leavesOnly));
    it.write(Register.IOTLB, IotlbCommand.pages(DOMAIN));
  }

  private static Stream<Row<BareUnit>> pages() {
    return Stream.of(
        row(
            "B85 a cleared entry still translates",
            it -> {
              it.put(IOVA, 1, 0);
              UnitDma dma = it.dmaRead(IOVA, 4);
              assertThat(dma.hitCache()).isTrue();
              assertThat(dma.landedAt(FRAME)).isTrue();
            }),
        row(
            "B86 a cleared entry is gone once its domain is flushed",
            it -> {
              it.put(IOVA, 1, 0);
              flushDomain(it, DOMAIN);
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x6);
            }),
        row(
            "B87 a flush of another domain leaves it",
            it -> {
              it.put(IOVA, 1, 0);
              flushDomain(it, DOMAIN + 1);
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
            }),
        row(
            "B88 an absent entry is not remembered",
            it -> {
              assertThat(it.dmaRead(0x9000, 4).fault()).isEqualTo(0x6);
              it.map(0x9000, OTHER);
              assertThat(it.dmaRead(0x9000, 4).landedAt(OTHER)).isTrue();
            }),
        row(
            "B94 a page-selective flush drops the pages of its range",
            it -> {
              for (long page = 0; page < 5; page++) {
                it.map(page << 12, FRAME + (page << 12));
                it.dmaRead(page << 12, 4);
              }
              for (long page = 0; page < 5; page++) {
                it.put(page << 12, 1, 0);
              }
              flushPages(it, IOVA, 2, false);
              for (long page = 0; page < 4; page++) {
                assertThat(it.dmaRead(page << 12, 4).fault()).isEqualTo(0x6);
              }
              assertThat(it.dmaRead(4 << 12, 4).landedAt(FRAME + (4 << 12))).isTrue();
            }),
        row(
            "B97 a freed table is used until it is flushed without IH",
            it -> {
              long table = it.newPage();
              it.poke(table + SecondStageEntry.offset(IOVA, 1), OTHER | 3);
              it.put(IOVA, 2, SecondStageEntry.table(table));
              flushPages(it, IOVA, 0, true);
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).as("use after free").isTrue();
              flushPages(it, IOVA, 0, false);
              assertThat(it.dmaRead(IOVA, 4).landedAt(OTHER)).isTrue();
            }),
        row(
            "B98 more permission needs a flush",
            it -> {
              it.map(IOVA, FRAME, READ);
              flushDomain(it, DOMAIN);
              it.dmaRead(IOVA, 4);
              it.map(IOVA, FRAME);
              assertThat(it.dmaWrite(IOVA, 1).fault()).isEqualTo(0x5);
              flushDomain(it, DOMAIN);
              assertThat(it.dmaWrite(IOVA, 1).done()).isTrue();
            }),
        row(
            "B103 a write has landed when the flush is done",
            it -> {
              it.poke(FRAME, 0);
              it.hold(true);
              assertThat(it.dmaWrite(IOVA, 0x1234_5678).landedAt(FRAME)).isTrue();
              assertThat(it.int32(FRAME)).as("under way").isZero();
              it.put(IOVA, 1, 0);
              UnitQueue queue = UnitQueue.of(it);
              long status = it.newPage();
              queue.submit(
                  new InvalidationDescriptor(drainless(), IOVA),
                  InvalidationDescriptor.waitWithStatus(status, 1));
              assertThat(it.int32(status)).isEqualTo(1);
              assertThat(it.int32(FRAME)).as("nobody asked for DW").isZero();

              queue.submit(
                  InvalidationDescriptor.pageTranslations(DOMAIN, IOVA, 0, false),
                  InvalidationDescriptor.waitWithStatus(status, 2));

              assertThat(it.int32(status)).isEqualTo(2);
              assertThat(it.int32(FRAME)).isEqualTo(0x1234_5678);
              it.poke(FRAME, 0);
              assertThat(it.dmaWrite(IOVA, 7).fault()).isEqualTo(0x5);
              it.hold(false);
              assertThat(it.int32(FRAME)).isZero();
            }));
  }

  /** A page-selective descriptor without DW and DR. */
  private static long drainless() {
    return InvalidationDescriptor.pageTranslations(DOMAIN, IOVA, 0, false).lo() & ~0xc0L;
  }

  private static Stream<Row<BareUnit>> superpages() {
    return Stream.of(
        row(
            "B95 a flush of one page inside drops a 2 MiB translation",
            it -> {
              it.put(0x20_0000L, 2, FRAME | 0x83);
              it.dmaRead(0x20_0000L, 4);
              it.put(0x20_0000L, 2, 0);
              flushPages(it, 0x2a_b000L, 0, false);
              assertThat(it.dmaRead(0x2a_b000L, 4).fault()).isEqualTo(0x6);
            }),
        row(
            "B96 a superpage replaced by a table needs a flush of all of it",
            it -> {
              it.put(0x20_0000L, 2, FRAME | 0x83);
              it.dmaRead(0x20_0000L, 4);
              long table = it.newPage();
              it.poke(
                  table, LongStream.range(0, 512).map(page -> OTHER + (page << 12) | 3).toArray());
              it.put(0x20_0000L, 2, SecondStageEntry.table(table));
              assertThat(it.dmaRead(0x20_1000L, 4).landedAt(FRAME + 0x1000)).isTrue();
              flushPages(it, 0x20_0000L, 0, false);
              assertThat(it.dmaRead(0x20_0000L, 4).landedAt(OTHER)).isTrue();
              UnitDma other = it.dmaRead(0x20_1000L, 4);
              assertThat(other.landedAt(FRAME + 0x1000) || other.landedAt(OTHER + 0x1000)).isTrue();
              flushPages(it, 0x20_0000L, 9, false);
              for (long page : new long[] {0, 1, 255, 511}) {
                assertThat(it.dmaRead(0x20_0000L + (page << 12), 4).landedAt(OTHER + (page << 12)))
                    .isTrue();
              }
            }));
  }

  private static ContextEntry ofDomain(BareUnit it, int domainId) {
    return ContextEntry.translating(it.pageTable(), AddressWidth.BITS_48, domainId);
  }

  private static Stream<Row<BareUnit>> contexts() {
    return Stream.of(
        row(
            "B91 a context is flushed with its old domain-id",
            it -> {
              long table = it.newPage();
              it.poke(it.slot(table, 4, IOVA, 1), OTHER | 3);
              it.context(X, ContextEntry.translating(table, AddressWidth.BITS_48, DOMAIN + 1));
              it.write(Register.CCMD, ContextCommand.device(DOMAIN + 1, X, 0));
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
              it.write(Register.CCMD, ContextCommand.device(DOMAIN, X, 0));
              assertThat(it.dmaRead(IOVA, 4).landedAt(OTHER)).isTrue();
            }),
        row(
            "B92 the IOTLB flushed before the context is filled again by the old one",
            it -> {
              long table = it.newPage();
              it.poke(it.slot(table, 4, IOVA, 1), OTHER | 3);
              it.context(X, ContextEntry.translating(table, AddressWidth.BITS_48, DOMAIN));
              flushDomain(it, DOMAIN);
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
              it.write(Register.CCMD, ContextCommand.device(DOMAIN, X, 0));
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
              flushDomain(it, DOMAIN);
              assertThat(it.dmaRead(IOVA, 4).landedAt(OTHER)).isTrue();
            }),
        row(
            "B99 a domain-selective flush drops the contexts of that domain",
            it -> {
              it.context(NEIGHBOUR, ofDomain(it, DOMAIN + 1));
              it.dmaRead(NEIGHBOUR, IOVA, 4);
              it.context(X, ContextEntry.ABSENT);
              it.context(NEIGHBOUR, ContextEntry.ABSENT);
              it.write(Register.CCMD, ContextCommand.domain(DOMAIN));
              assertThat(it.dmaRead(IOVA, 4).fault()).isEqualTo(0x2);
              assertThat(it.dmaRead(NEIGHBOUR, IOVA, 4).done()).isTrue();
            }),
        row(
            "B100 a function mask of 3 names eight functions",
            it -> {
              for (SourceId each : new SourceId[] {FIRST, NEIGHBOUR, NEXT}) {
                it.context(each, it.entry());
                it.dmaRead(each, IOVA, 4);
                it.context(each, ContextEntry.ABSENT);
              }
              it.write(Register.CCMD, ContextCommand.device(DOMAIN, X, 3));
              assertThat(it.dmaRead(FIRST, IOVA, 4).fault()).isEqualTo(0x2);
              assertThat(it.dmaRead(NEIGHBOUR, IOVA, 4).fault()).isEqualTo(0x2);
              assertThat(it.dmaRead(NEXT, IOVA, 4).done()).isTrue();
            }),
        row(
            "B102 switching translation forgets nothing",
            it -> {
              it.put(IOVA, 1, 0);
              it.command(GlobalCommand.TE, false);
              it.command(GlobalCommand.TE, true);
              assertThat(it.dmaRead(IOVA, 4).landedAt(FRAME)).isTrue();
            }));
  }

  private static Stream<Row<BareUnit>> requesters() {
    return Stream.of(
        row(
            "B93 a domain-id given away without a flush takes its translations along",
            it -> {
              it.context(
                  NEIGHBOUR, ContextEntry.translating(it.newPage(), AddressWidth.BITS_48, DOMAIN));
              assertThat(it.dmaRead(NEIGHBOUR, IOVA, 4).landedAt(FRAME)).isTrue();
              flushDomain(it, DOMAIN);
              assertThat(it.dmaRead(NEIGHBOUR, IOVA, 4).fault()).isEqualTo(0x6);
            }));
  }
}
