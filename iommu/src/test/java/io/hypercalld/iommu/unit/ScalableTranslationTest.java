package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.ScalableUnit.DOMAIN;
import static io.hypercalld.iommu.unit.ScalableUnit.FETCH;
import static io.hypercalld.iommu.unit.ScalableUnit.SUPERVISOR;
import static io.hypercalld.iommu.unit.ScalableUnit.USER;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What scalable mode translates, marks and remembers. */
final class ScalableTranslationTest {
  private static final long IOVA = 0x12_3456_7000L;
  private static final long PAGE = 0x200_0000L;
  private static final long OTHER = 0x201_0000L;
  private static final long ACCESSED = FirstLevelEntry.A.mask();
  private static final long DIRTY = FirstLevelEntry.D.mask();

  private final ScalableUnit it = ScalableUnit.on();

  @AfterEach
  void close() {
    it.close();
  }

  private void useFirstLevel() {
    it.map(IOVA, PAGE);
    it.pasid(it.firstLevelEntry());
  }

  private void useNested() {
    it.map(IOVA, PAGE);
    it.mapTables();
    it.mapSecond(PAGE, OTHER, SecondStageEntry.READ_WRITE);
    it.pasid(it.nestedEntry());
  }

  private long leaf() {
    return it.memory.readWord(it.slot(IOVA, 1));
  }

  @Test
  void firstLevel_ofFourLevels_translatesBothHalves() {
    useFirstLevel();
    it.map(0xffff_8000_0000_0000L, OTHER);

    assertThat(it.read(IOVA + 8).maddr()).isEqualTo(PAGE + 8);
    assertThat(it.read(0xffff_8000_0000_0010L).maddr()).isEqualTo(OTHER + 0x10);
    assertThat(it.read(0xffff_8000_0000_0018L).iotlbHit()).isTrue();
  }

  @Test
  void firstLevel_ofFiveLevels_reachesFurther() {
    long far = 0x00a5_0000_0000_5000L;
    it.memory.writeWord(it.slot(5, far, 1), FirstLevelEntry.leaf(PAGE, PageSize.SIZE_4K, true));
    PasidEntry four = it.firstLevelEntry();
    it.pasid(
        new PasidEntry(
            four.q0(), four.q1(), PasidEntry.FLPM.put(four.q2(), PasidEntry.FIVE_LEVELS), 0));

    assertThat(it.read(far).maddr()).isEqualTo(PAGE);
    assertThat(it.readFault(1L << 56).code()).isEqualTo(0x80);
  }

  @Test
  void firstLevel_ofLargePages_translates() {
    it.put(IOVA, 2, FirstLevelEntry.leaf(0x20_0000L, PageSize.SIZE_2M, true));
    it.pasid(it.firstLevelEntry());

    assertThat(it.read(IOVA).maddr()).isEqualTo(0x20_0000L | (IOVA & 0x1f_ffff));
    assertThat(it.translation.pageSize()).isEqualTo(PageSize.SIZE_2M);
  }

  @Test
  void requestWithoutPasid_usesTheContextsPasid_andPrivilege() {
    useFirstLevel();
    it.put(IOVA, 1, leaf() & ~FirstLevelEntry.US.mask());
    PasidEntry user = it.firstLevelEntry();
    it.pasid(new PasidEntry(user.q0(), user.q1(), PasidEntry.SRE.set(user.q2()), 0));
    long q1 = ScalableContextEntry.RID_PASID.of(USER.pasid());
    it.context(new ScalableContextEntry(it.context().q0(), q1, 0, 0));
    assertThat(it.faultOf(PasidPrefix.NONE, IOVA, DmaAccess.READ).code()).isEqualTo(0x81);

    it.context(
        new ScalableContextEntry(it.context().q0(), ScalableContextEntry.RID_PRIV.set(q1), 0, 0));
    it.forgetEverything();

    assertThat(it.translate(PasidPrefix.NONE, IOVA, DmaAccess.READ).maddr()).isEqualTo(PAGE);
  }

  @Test
  void supervisor_withoutWriteProtection_writesReadOnlyPages() {
    useFirstLevel();
    it.put(IOVA, 1, leaf() & ~FirstLevelEntry.RW.mask());
    PasidEntry user = it.firstLevelEntry();
    it.pasid(new PasidEntry(user.q0(), user.q1(), PasidEntry.SRE.set(user.q2()), 0));

    assertThat(it.translate(SUPERVISOR, IOVA, DmaAccess.WRITE).passed()).isTrue();
    assertThat(it.writeFault(IOVA).code()).as("a user, on the same entry").isEqualTo(0x85);
  }

  @Test
  void fetch_ofAnExecutablePage_passes() {
    useFirstLevel();
    PasidEntry user = it.firstLevelEntry();
    it.pasid(
        new PasidEntry(user.q0(), user.q1(), PasidEntry.NXE.set(PasidEntry.ERE.set(user.q2())), 0));

    assertThat(it.translate(FETCH, IOVA, DmaAccess.READ).maddr()).isEqualTo(PAGE);
  }

  @Test
  void read_marksEveryEntryAccessed_andAWriteTheLeafDirty() {
    useFirstLevel();

    it.read(IOVA);

    for (int level = 1; level <= 4; level++) {
      assertThat(it.memory.readWord(it.slot(IOVA, level)) & (ACCESSED | DIRTY)).isEqualTo(ACCESSED);
    }

    it.write(IOVA);

    assertThat(leaf() & DIRTY).as("although the IOTLB held the page").isNotZero();
    assertThat(it.memory.readWord(it.slot(IOVA, 2)) & DIRTY).isZero();
    assertThat(it.write(IOVA).iotlbHit()).isTrue();
  }

  @Test
  void extendedAccessed_isMarkedWhereThePasidEntryAsks() {
    useFirstLevel();
    PasidEntry plain = it.firstLevelEntry();
    it.pasid(new PasidEntry(plain.q0(), plain.q1(), PasidEntry.EAFE.set(plain.q2()), 0));

    it.read(IOVA);

    assertThat(leaf() & FirstLevelEntry.EA.mask()).isNotZero();
    assertThat(it.memory.readWord(it.slot(IOVA, 4)) & FirstLevelEntry.EA.mask()).isNotZero();
  }

  @Test
  void secondLevel_marksOnlyWhereThePasidEntryAsks() {
    it.mapSecond(IOVA, PAGE, SecondStageEntry.READ_WRITE);
    it.pasid(it.secondLevelEntry());
    it.write(IOVA);
    long slot = it.secondSlot(IOVA, 1);
    assertThat(it.memory.readWord(slot)).isEqualTo(PAGE | 3);
    it.forgetEverything();
    PasidEntry plain = it.secondLevelEntry();
    it.pasid(new PasidEntry(PasidEntry.SLADE.set(plain.q0()), plain.q1(), 0, 0));
    it.forgetEverything();

    assertThat(it.read(IOVA).passed()).isTrue();
    assertThat(it.memory.readWord(slot)).isEqualTo(PAGE | 3 | SecondStageEntry.A.mask());
    it.write(IOVA);
    assertThat(it.memory.readWord(slot) & SecondStageEntry.D.mask()).isNotZero();
  }

  @Test
  void nestedWalk_readsTwentyFourEntries() {
    useNested();
    it.write(IOVA);
    it.forgetEverything();
    it.unit.counters().reset();

    assertThat(it.read(IOVA + 0x10).maddr()).isEqualTo(OTHER + 0x10);

    assertThat(it.unit.counters().entryReads())
        .as("root, context, directory and PASID entry, 4 x (4 + 1) + 4")
        .isEqualTo(4 + 24);
  }

  @Test
  void nestedWalk_explained_showsBothTraces() {
    useNested();

    Explanation explanation =
        it.unit.explain(new MemoryRequest(ScalableUnit.X, USER, IOVA, DmaAccess.READ));

    List<Table> paging =
        explanation.steps().stream().map(ExplainStep::table).filter(Table::isPaging).toList();
    assertThat(paging).hasSize(24);
    assertThat(paging.stream().filter(table -> table == Table.FIRST_LEVEL)).hasSize(4);
    assertThat(explanation.steps().stream().map(ExplainStep::table))
        .contains(Table.ROOT, Table.CONTEXT, Table.PASID_DIRECTORY, Table.PASID, Table.IOTLB);
    assertThat(explanation.maddr()).isEqualTo(OTHER);
    assertThat(leaf() & ACCESSED).as("nothing is marked by it").isZero();
  }

  @Test
  void pasidFlush_dropsThatPasidOnly() {
    useFirstLevel();
    PasidPrefix other = PasidPrefix.of(USER.pasid() + 1);
    it.pasid(other, it.firstLevelEntry());
    it.read(IOVA);
    it.translate(other, IOVA, DmaAccess.READ);
    it.map(IOVA, OTHER);

    it.invalidatePasid(DOMAIN, USER.pasid());

    assertThat(it.read(IOVA).maddr()).isEqualTo(OTHER);
    assertThat(it.translate(other, IOVA, DmaAccess.READ).maddr()).isEqualTo(PAGE);
  }

  @Test
  void pasidPageFlush_dropsThePagesOnly() {
    useFirstLevel();
    it.map(IOVA + 0x1000, PAGE);
    it.read(IOVA);
    it.read(IOVA + 0x1000);
    it.map(IOVA, OTHER);
    it.map(IOVA + 0x1000, OTHER);

    it.invalidatePasidPages(DOMAIN, USER.pasid(), IOVA, 0);

    assertThat(it.read(IOVA).maddr()).isEqualTo(OTHER);
    assertThat(it.read(IOVA + 0x1000).maddr()).isEqualTo(PAGE);
  }

  @Test
  void domainPageFlush_dropsAllFirstLevelTranslationsOfTheDomain() {
    useNested();
    it.read(IOVA);
    it.mapSecond(PAGE, PAGE, SecondStageEntry.READ_WRITE);

    it.invalidatePages(DOMAIN + 1, 0x5000, 0, false);
    assertThat(it.read(IOVA).maddr()).isEqualTo(OTHER);
    it.invalidatePages(DOMAIN, 0x5000, 0, false);

    assertThat(it.read(IOVA).maddr()).isEqualTo(PAGE);
  }

  @Test
  void pasidEntry_changed_isUsedAfterItsFlush() {
    useFirstLevel();
    it.read(IOVA);
    it.pasid(PasidEntry.passingThrough(DOMAIN));
    it.invalidatePasid(DOMAIN, USER.pasid());
    assertThat(it.read(IOVA).maddr()).as("the entry is remembered").isEqualTo(PAGE);

    it.invalidatePasidEntry(DOMAIN, USER.pasid() + 1);
    assertThat(it.read(IOVA).maddr()).as("another PASID's entry went").isEqualTo(PAGE);
    it.invalidatePasidEntry(DOMAIN, USER.pasid());

    assertThat(it.read(IOVA).maddr()).isEqualTo(IOVA);
  }

  @Test
  void tableOnTheWay_staysRemembered_whenOnlyLeavesAreFlushed() {
    it.mapSecond(IOVA, PAGE, SecondStageEntry.READ_WRITE);
    it.pasid(it.secondLevelEntry());
    it.read(IOVA);
    long other = it.it.newTable();
    it.memory.writeWord(other + SecondStageEntry.offset(IOVA, 1), OTHER | 3);
    it.memory.writeWord(it.secondSlot(IOVA, 2), SecondStageEntry.table(other));

    it.invalidatePages(DOMAIN, IOVA, 0, true);
    assertThat(it.read(IOVA).maddr()).as("IH: the old table is used").isEqualTo(PAGE);
    it.invalidatePages(DOMAIN, IOVA, 0, false);

    assertThat(it.read(IOVA).maddr()).isEqualTo(OTHER);
  }

  @Test
  void manyPasids_moreThanAreRemembered_stayRight() {
    useFirstLevel();
    int first = USER.pasid() & ~0x3f;
    for (int each = 0; each < AddressSpaces.PASIDS + 10; each++) {
      PasidPrefix prefix = PasidPrefix.of(first | (each & 0x3f));
      PasidEntry entry = it.firstLevelEntry();
      it.pasid(prefix, new PasidEntry(entry.q0(), each >>> 6, entry.q2(), 0));
      if ((each & 0x3f) == 0) {
        it.forgetEverything();
      }
      assertThat(it.translate(prefix, IOVA, DmaAccess.READ).maddr()).isEqualTo(PAGE);
    }
    it.map(IOVA, OTHER);
    it.invalidatePasid((AddressSpaces.PASIDS + 9) >>> 6, first | 9);

    assertThat(it.translate(PasidPrefix.of(first | 9), IOVA, DmaAccess.READ).maddr())
        .isEqualTo(OTHER);
  }
}
