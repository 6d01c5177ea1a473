package io.hypercalld.iommu.unit;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random tables, and requests whose end is known from a second reading of the specification. */
final class TranslationOracleTest {
  private static final List<DmaAccess> UNTRANSLATED =
      List.of(DmaAccess.READ, DmaAccess.WRITE, DmaAccess.ATOMIC, DmaAccess.ZERO_LENGTH_READ);
  private static final List<DmaAccess> ACCESSES = List.of(DmaAccess.values());

  /** Step by step as spec/vtd.md 3.2 says, with shifts and masks of its own. */
  private record Oracle(MachineMemory memory, long root) {
    private static final int BLOCKED = -1 << 8;

    /** The machine address, or a negative number that ends in the fault reason. */
    long translate(SourceId requester, long iova, DmaAccess access) {
      long rootEntry = root + requester.bus() * 16L;
      if (!memory.isRam(rootEntry)) {
        return blocked(8);
      }
      long lo = memory.readWord(rootEntry);
      if ((lo & 1) == 0) {
        return blocked(1);
      }
      if ((lo & 0xffe) != 0 || lo >>> 46 != 0 || memory.readWord(rootEntry + 8) != 0) {
        return blocked(0xa);
      }
      long contextEntry = (lo & ~0xfffL) + requester.devfn() * 16L;
      return memory.isRam(contextEntry)
          ? context(memory.readWord(contextEntry), memory.readWord(contextEntry + 8), iova, access)
          : blocked(9);
    }

    private long context(long lo, long hi, long iova, DmaAccess access) {
      long type = lo >>> 2 & 3;
      long width = hi & 7;
      if ((lo & 1) == 0) {
        return blocked(2);
      }
      if ((lo & 0xff0) != 0
          || (type != 2 && lo >>> 46 != 0)
          || (hi & 0xffff_ffff_ff00_0080L) != 0
          || (hi >>> 8 & 0xffff) > 255) {
        return blocked(0xb);
      }
      if (type == 3 || type == 1) {
        return blocked(3);
      }
      if (type == 2) {
        return width != 2 ? blocked(3) : iova >>> 46 != 0 ? blocked(4) : iova;
      }
      if (width != 1 && width != 2) {
        return blocked(3);
      }
      int levels = width == 1 ? 3 : 4;
      return iova >>> (levels == 3 ? 39 : 48) != 0
          ? blocked(4)
          : walk(lo & ~0xfffL, levels, iova, access);
    }

    private long walk(long top, int levels, long iova, DmaAccess access) {
      long table = top;
      boolean readable = true;
      boolean writable = true;
      for (int level = levels; level >= 1; level--) {
        int shift = 12 + 9 * (level - 1);
        long slot = table + (iova >>> shift & 511) * 8;
        if (!memory.isRam(slot)) {
          return blocked(level == levels ? 3 : 7);
        }
        long entry = memory.readWord(slot);
        readable &= (entry & 1) != 0;
        writable &= (entry & 2) != 0;
        int denied = denied(access, readable, writable);
        if (denied != 0) {
          return blocked(denied);
        }
        boolean large = level > 1 && (entry & 0x80) != 0;
        if (reserved(entry, level, large)) {
          return blocked(0xc);
        }
        table = entry & 0x000f_ffff_ffff_f000L;
        if (level == 1 || large) {
          long maddr = table + (iova & (1L << shift) - 1);
          return maddr >= 0xfee0_0000L && maddr <= 0xfeef_ffffL ? blocked(0xe) : maddr;
        }
      }
      throw new AssertionError("a walk ends at level 1");
    }

    private static int denied(DmaAccess access, boolean readable, boolean writable) {
      return switch (access) {
        case READ -> readable ? 0 : 6;
        case WRITE -> writable ? 0 : 5;
        case ATOMIC -> !writable ? 5 : !readable ? 6 : 0;
        default -> readable || writable ? 0 : 6;
      };
    }

    private static boolean reserved(long entry, int level, boolean large) {
      long mask = 0x000f_c000_0000_0000L | 1L << 62;
      if (level > 1 && !large) {
        mask |= 1 << 11;
      }
      if (large) {
        mask |= level == 2 ? 0x1f_f000 : level == 3 ? 0x3fff_f000 : 0x80;
      }
      return (entry & mask) != 0;
    }

    private static long blocked(int reason) {
      return BLOCKED | reason;
    }
  }

  private static long answer(Translation translation) {
    return translation.passed() ? translation.maddr() : Oracle.blocked(translation.reason().code());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void randomRequests_onRandomTables_endAsTheSpecificationSays(long seed) {
    Map<DmaAccess, Integer> passed = new EnumMap<>(DmaAccess.class);
    try (var it = SimulatedUnit.on()) {
      RandomTables tables = new RandomTables(it, seed);
      Oracle oracle = new Oracle(it.memory, it.rootTable);
      for (int each = 0; each < 20_000; each++) {
        if (tables.random.nextInt(3) == 0) {
          tables.edit();
          it.invalidateEverything();
        }
        SourceId requester = tables.requester();
        long iova = tables.iova();
        DmaAccess access = UNTRANSLATED.get(tables.random.nextInt(UNTRANSLATED.size()));
        it.invalidateEverything();

        Translation translation = it.translate(requester, iova, access);

        assertThat(answer(translation))
            .as("%s %s 0x%x in round %d", requester, access, iova, each)
            .isEqualTo(oracle.translate(requester, iova, access));
        passed.merge(access, translation.passed() ? 1 : 0, Integer::sum);
      }
    }
    assertThat(passed.values()).as("the tables are not all wrong").allMatch(count -> count > 10);
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 14})
  void explanation_ofRandomRequests_isWhatHappensThen(long seed) {
    Capabilities capabilities =
        new Capabilities(
            CapabilityFields.CM.put(SimulatedUnit.MODEL.cap(), seed & 1),
            SimulatedUnit.MODEL.ecap());
    try (var it = SimulatedUnit.on(capabilities)) {
      RandomTables tables = new RandomTables(it, seed);
      for (int each = 0; each < 20_000; each++) {
        if (tables.random.nextInt(4) == 0) {
          tables.edit();
        }
        if (tables.random.nextInt(50) == 0) {
          it.invalidateEverything();
        }
        if (tables.random.nextInt(20) == 0) {
          it.clearRecord(tables.random.nextInt(8));
          it.unit.write32(io.hypercalld.iommu.vtd.Register.FSTS.offset(), 1);
        }
        agree(it, tables, ACCESSES.get(tables.random.nextInt(ACCESSES.size())));
      }
      assertThat(it.unit.counters().iotlbHits()).isGreaterThan(40);
    }
  }

  private static void agree(SimulatedUnit it, RandomTables tables, DmaAccess access) {
    SourceId requester = tables.requester();
    long iova = tables.iova();
    Explanation explanation = it.unit.explain(requester, iova, access);

    Translation translation = it.translate(requester, iova, access);

    assertThat(explanation.outcome()).isEqualTo(translation.outcome());
    assertThat(explanation.wouldPassIf().isPresent()).isEqualTo(!translation.passed());
    assertThat(explanation.cached()).isEqualTo(translation.iotlbHit());
    if (translation.passed()) {
      assertThat(explanation.maddr()).isEqualTo(translation.maddr());
      assertThat(explanation.page()).isEqualTo(translation.pageSize());
    } else {
      assertThat(explanation.reason()).contains(translation.reason());
      assertThat(explanation.recorded()).isEqualTo(translation.recorded());
    }
  }

  @Test
  void sameRequests_onTwoMachines_leaveTheSameState() {
    assertThat(run(21)).isEqualTo(run(21)).isNotEqualTo(run(22));
  }

  private static String run(long seed) {
    Capabilities capabilities =
        new Capabilities(
            SimulatedUnit.MODEL.cap(),
            ExtendedCapabilityFields.C.clear(SimulatedUnit.MODEL.ecap()));
    try (var it = SimulatedUnit.on(capabilities)) {
      RandomTables tables = new RandomTables(it, seed);
      for (int each = 0; each < 2_000; each++) {
        it.translate(tables.requester(), tables.iova(), DmaAccess.READ);
      }
      return it.digest();
    }
  }
}
