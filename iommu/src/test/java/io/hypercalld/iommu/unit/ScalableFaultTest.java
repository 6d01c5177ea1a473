package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.ScalableUnit.FETCH;
import static io.hypercalld.iommu.unit.ScalableUnit.SUPERVISOR;
import static io.hypercalld.iommu.unit.ScalableUnit.SUPERVISOR_FETCH;
import static io.hypercalld.iommu.unit.ScalableUnit.USER;
import static io.hypercalld.iommu.unit.SimulatedUnit.BEYOND_RAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.PasidDirectoryEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One way to each fault of scalable mode, from an address space that translates otherwise. */
final class ScalableFaultTest {
  private static final long IOVA = 0x12_3456_7000L;
  private static final long PAGE = 0x200_0000L;

  /** What to break, what to ask, and how it ends. */
  private record Row(
      int code, String what, PasidPrefix prefix, DmaAccess access, Consumer<ScalableUnit> breakIt) {
    @Override
    public String toString() {
      return "%xh %s".formatted(code, what);
    }
  }

  private static Row read(int code, String what, Consumer<ScalableUnit> breakIt) {
    return new Row(code, what, USER, DmaAccess.READ, breakIt);
  }

  private static Row write(int code, String what, Consumer<ScalableUnit> breakIt) {
    return new Row(code, what, USER, DmaAccess.WRITE, breakIt);
  }

  private static Row by(int code, String what, PasidPrefix who, Consumer<ScalableUnit> breakIt) {
    return new Row(code, what, who, DmaAccess.READ, breakIt);
  }

  private static ScalableContextEntry q0(ScalableContextEntry entry, long bits) {
    return new ScalableContextEntry(entry.q0() ^ bits, entry.q1(), entry.q2(), entry.q3());
  }

  private static PasidEntry flip(PasidEntry entry, long q0, long q1, long q2) {
    return new PasidEntry(entry.q0() ^ q0, entry.q1() ^ q1, entry.q2() ^ q2, entry.rest());
  }

  private static void firstLevel(ScalableUnit it, long q0, long q1, long q2) {
    it.pasid(flip(it.firstLevelEntry(), q0, q1, q2));
  }

  private static Stream<Row> rootAndContext() {
    return Stream.of(
        read(0x39, "root entry absent", it -> it.rootEntry(0)),
        read(0x3a, "root entry reserved", it -> it.rootEntry(0x10_0000L | 1 | 1 << 5)),
        read(0x3a, "context table beyond the host", it -> it.rootEntry(1L << 46 | 1)),
        read(
            0x40,
            "context table outside memory",
            it -> it.rootEntry(ScalableRootEntry.to(BEYOND_RAM).word())),
        read(0x41, "context entry absent", it -> it.context(q0(it.context(), 1))),
        read(0x42, "context bit 5", it -> it.context(q0(it.context(), 1 << 5))),
        read(0x42, "directory beyond the host", it -> it.context(q0(it.context(), 1L << 46))),
        read(
            0x42,
            "context word 3",
            it -> it.context(new ScalableContextEntry(it.context().q0(), 0, 0, 1))),
        new Row(0x44, "DTE clear", USER, DmaAccess.TRANSLATION_REQUEST, it -> {}),
        new Row(0x44, "DTE clear, translated", USER, DmaAccess.TRANSLATED_READ, it -> {}),
        read(0x43, "DTE without device-TLBs", it -> it.context(q0(it.context(), 1 << 2))),
        read(0x43, "PRE without page requests", it -> it.context(q0(it.context(), 1 << 4))),
        read(0x45, "PASIDE clear", it -> it.context(q0(it.context(), 1 << 3))),
        by(0x46, "PASID beyond the directory", PasidPrefix.of(0x2000), it -> {}),
        by(
            0x48,
            "RID_PASID beyond the directory",
            PasidPrefix.NONE,
            it -> it.context(new ScalableContextEntry(it.context().q0(), 0x2000, 0, 0))));
  }

  private static Stream<Row> pasids() {
    long missing = PasidDirectoryEntry.to(BEYOND_RAM).word();
    return Stream.of(
        read(0x50, "directory outside memory", it -> it.context(to(BEYOND_RAM))),
        read(0x51, "directory entry absent", it -> it.directoryEntry(USER.pasid(), 0)),
        read(
            0x52,
            "directory entry bit 2",
            it -> it.directoryEntry(USER.pasid(), 0x10_0000L | 0b101)),
        read(0x58, "PASID table outside memory", it -> it.directoryEntry(0x1234, missing)),
        read(0x59, "PASID entry absent", it -> firstLevel(it, 1, 0, 0)),
        read(0x5a, "PASID entry bit 10", it -> firstLevel(it, 1 << 10, 0, 0)),
        read(0x5a, "PASID entry bit 80", it -> firstLevel(it, 0, 1 << 16, 0)),
        read(0x5a, "PASID entry bit 136", it -> firstLevel(it, 0, 0, 1 << 8)),
        read(
            0x5a,
            "PASID entry word 3",
            it -> it.pasid(new PasidEntry(1 << 6 | 1, 5, it.firstLevel, 1))),
        read(0x5a, "domain-id beyond ND", it -> firstLevel(it, 0, 0x100, 0)),
        read(0x5a, "first level beyond the host", it -> firstLevel(it, 0, 0, 1L << 46)),
        read(0x5b, "PGTT 0", it -> firstLevel(it, 1 << 6, 0, 0)),
        read(0x5b, "PGTT 5", it -> firstLevel(it, 1 << 8, 0, 0)),
        read(0x5b, "FLPM 2", it -> firstLevel(it, 0, 0, 1 << 3)),
        read(
            0x5b,
            "AW of two levels",
            it -> it.pasid(PasidEntry.secondLevel(it.secondLevel, AddressWidth.BITS_30, 5))),
        by(0x5c, "ERE clear", FETCH, it -> {}),
        by(0x5d, "SRE clear", SUPERVISOR, it -> {}),
        by(0x5c, "ERE and SRE clear", SUPERVISOR_FETCH, it -> {}));
  }

  private static ScalableContextEntry to(long directory) {
    return new ScalableContextEntry(
        ScalableContextEntry.PASIDE.set(ScalableContextEntry.to(directory).q0()), 0, 0, 0);
  }

  private static Stream<Row> firstLevel() {
    long leaf = FirstLevelEntry.leaf(PAGE, PageSize.SIZE_4K, true);
    return Stream.of(
        read(0x70, "table outside memory", it -> it.put(IOVA, 3, BEYOND_RAM | 7)),
        read(0x71, "leaf absent", it -> it.put(IOVA, 1, leaf & ~1)),
        read(0x71, "table absent", it -> it.put(IOVA, 4, 0)),
        read(0x72, "leaf beyond the host", it -> it.put(IOVA, 1, leaf | 1L << 46)),
        read(0x72, "XD without NXE", it -> it.put(IOVA, 1, leaf | 1L << 63)),
        read(0x72, "PS at level 4", it -> it.put(IOVA, 4, PAGE | 0x87)),
        read(0x72, "2 MiB page with bit 13", it -> it.put(IOVA, 2, PAGE | 0x87 | 1 << 13)),
        read(
            0x73,
            "top table outside memory",
            it -> firstLevel(it, 0, 0, BEYOND_RAM ^ it.firstLevel)),
        new Row(0x80, "not canonical", USER, DmaAccess.READ, it -> {}),
        read(0x81, "U/S clear", it -> it.put(IOVA, 1, leaf & ~4)),
        write(0x81, "U/S and R/W clear", it -> it.put(IOVA, 1, leaf & ~6)),
        by(
            0x82,
            "XD",
            FETCH,
            it -> {
              it.put(IOVA, 1, leaf | 1L << 63);
              firstLevel(it, 0, 0, 0b10_0010);
            }),
        by(0x82, "SMEP", SUPERVISOR_FETCH, it -> firstLevel(it, 0, 0, 0b100_0011)),
        write(0x85, "R/W clear", it -> it.put(IOVA, 1, leaf & ~2)),
        write(
            0x85,
            "R/W clear above",
            it -> it.put(IOVA, 3, it.memory.readWord(it.slot(IOVA, 3)) & ~2)),
        new Row(
            0x85,
            "WPE",
            SUPERVISOR,
            DmaAccess.WRITE,
            it -> {
              it.put(IOVA, 1, leaf & ~2);
              firstLevel(it, 0, 0, 0b1_0001);
            }),
        read(0x87, "page in the interrupt range", it -> it.put(IOVA, 1, 0xfee0_0007L)));
  }

  private static Stream<Row> secondLevel() {
    return Stream.of(
        read(0x78, "table outside memory", it -> second(it, 3, BEYOND_RAM | 3)),
        read(0x79, "leaf with R and W clear", it -> second(it, 1, 0)),
        write(0x85, "W clear", it -> second(it, 1, PAGE | 1)),
        read(0x86, "R clear", it -> second(it, 1, PAGE | 2)),
        read(0x7a, "leaf beyond the host", it -> second(it, 1, PAGE | 3 | 1L << 46)),
        read(0x87, "page in the interrupt range", it -> second(it, 1, 0xfee0_0003L)),
        read(
            0x7b,
            "top table outside memory",
            it -> it.pasid(PasidEntry.secondLevel(BEYOND_RAM, AddressWidth.BITS_48, 5))));
  }

  private static void second(ScalableUnit it, int level, long entry) {
    it.memory.writeWord(it.secondSlot(IOVA, level), entry);
    it.pasid(it.secondLevelEntry());
  }

  private static Stream<Row> nested() {
    long leaf = FirstLevelEntry.leaf(PAGE, PageSize.SIZE_4K, true);
    return Stream.of(
        read(0x74, "table beyond the second level", it -> nest(it, 3, 1L << 48 | 7)),
        read(0x84, "page beyond the second level", it -> nest(it, 1, 1L << 48 | 7)),
        read(0x75, "top table not mapped", it -> unmap(it, it.firstLevel, 0)),
        read(0x75, "top table not readable", it -> unmap(it, it.firstLevel, 2)),
        read(0x76, "table not mapped", it -> unmap(it, it.slot(IOVA, 1), 0)),
        read(0x77, "table not writable", it -> unmap(it, it.slot(IOVA, 1), 1)),
        read(0x79, "page not mapped", it -> unmap(it, PAGE, 0)),
        write(0x85, "page not writable below", it -> unmap(it, PAGE, 1)),
        write(0x85, "page not writable above", it -> nest(it, 1, leaf & ~2)),
        read(0x71, "leaf absent", it -> nest(it, 1, 0)));
  }

  private static void nest(ScalableUnit it, int level, long entry) {
    it.mapTables();
    it.mapSecond(PAGE, PAGE, SecondStageEntry.READ_WRITE);
    it.put(IOVA, level, entry);
    it.pasid(it.nestedEntry());
  }

  private static void unmap(ScalableUnit it, long gpa, int permissions) {
    nest(it, 1, FirstLevelEntry.leaf(PAGE, PageSize.SIZE_4K, true));
    it.memory.writeWord(it.secondSlot(gpa, 1), (gpa & -0x1000L) | permissions);
  }

  static Stream<Row> rows() {
    return Stream.of(rootAndContext(), pasids(), firstLevel(), secondLevel(), nested())
        .flatMap(rows -> rows);
  }

  /** The reasons for which the rows' requests are blocked. */
  static Stream<FaultReason> reasons() {
    return rows().map(ScalableFaultTest::reasonOf);
  }

  private static FaultReason reasonOf(Row row) {
    try (ScalableUnit it = ScalableUnit.on()) {
      it.map(IOVA, PAGE);
      it.pasid(it.firstLevelEntry());
      it.pasid(PasidPrefix.NONE, it.firstLevelEntry());
      row.breakIt.accept(it);
      return it.faultOf(row.prefix, row.code == 0x80 ? 1L << 47 : IOVA, row.access);
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void request_onABrokenEntry_faults(Row row) {
    try (ScalableUnit it = ScalableUnit.on()) {
      it.map(IOVA, PAGE);
      it.pasid(it.firstLevelEntry());
      it.pasid(PasidPrefix.NONE, it.firstLevelEntry());
      row.breakIt.accept(it);
      long iova = row.code == 0x80 ? 1L << 47 : IOVA;
      long before = wordsOf(it);

      FaultReason reason = it.faultOf(row.prefix, iova, row.access);

      assertThat(reason.code()).isEqualTo(row.code);
      assertThat(it.translation.recorded()).isTrue();
      assertThat(wordsOf(it))
          .as("a blocked request leaves the first level alone")
          .isEqualTo(before);
      FaultRecord record = it.it.record(0);
      assertThat(record.reasonCode()).isEqualTo(row.code);
      assertThat(FaultRecord.PV.getInt(record.hi())).isEqualTo(row.prefix.pasid());
    }
  }

  private static long wordsOf(ScalableUnit it) {
    long sum = 0;
    for (int level = 1; level <= 4; level++) {
      long table = it.firstLevel;
      for (int each = 4; each > level && table < SimulatedUnit.RAM_BYTES; each--) {
        table =
            FirstLevelEntry.target(it.memory.readWord(table + SecondStageEntry.offset(IOVA, each)));
      }
      if (table < SimulatedUnit.RAM_BYTES) {
        sum = sum * 31 + it.memory.readWord(table + SecondStageEntry.offset(IOVA, level));
      }
    }
    return sum;
  }

  @ParameterizedTest
  @MethodSource("silentRows")
  void fault_withFaultProcessingDisabled_isNotRecorded(Row row) {
    try (ScalableUnit it = ScalableUnit.on()) {
      it.map(IOVA, PAGE);
      it.pasid(it.firstLevelEntry());
      row.breakIt.accept(it);

      assertThat(it.readFault(IOVA).code()).isEqualTo(row.code);

      assertThat(it.translation.recorded()).isFalse();
      assertThat(it.it.status()).isZero();
    }
  }

  static Stream<Row> silentRows() {
    return Stream.of(
        read(0x41, "context entry absent", it -> it.context(q0(it.context(), 0b11))),
        read(
            0x59,
            "PASID entry absent, FPD in the context",
            it -> {
              it.context(q0(it.context(), 0b10));
              firstLevel(it, 1, 0, 0);
            }),
        read(0x51, "directory entry absent", it -> it.directoryEntry(0x1234, 0b10)),
        read(0x59, "PASID entry absent", it -> firstLevel(it, 0b11, 0, 0)),
        read(
            0x71,
            "leaf absent, FPD in the PASID entry",
            it -> {
              firstLevel(it, 0b10, 0, 0);
              it.put(IOVA, 1, 0);
            }));
  }

  @Test
  void requestWithPasid_inPassThrough_mayNotEnterTheInterruptRange() {
    try (ScalableUnit it = ScalableUnit.on()) {
      it.pasid(PasidEntry.passingThrough(1));

      assertThat(it.read(0x5000).maddr()).isEqualTo(0x5000);
      assertThat(it.write(0xfee0_1000L).reason().code()).isEqualTo(0x87);
      assertThat(it.write(1L << 46).reason().code()).isEqualTo(0x83);
    }
  }
}
