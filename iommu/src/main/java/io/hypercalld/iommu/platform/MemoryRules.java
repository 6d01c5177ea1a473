package io.hypercalld.iommu.platform;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.iommu.vtd.InterruptRange;
import java.util.List;

/** What must hold between memory, register windows and reserved regions. Never instantiated. */
final class MemoryRules {
  /** Where a PC's fixed devices begin: above here is no RAM below 4 GiB. */
  static final long FIXED_DEVICES = 0xfec0_0000L;

  private static final long PAGE_MASK = 0xfff;
  private static final int LEAST_WIDTH = 32;
  private static final int MOST_WIDTH = 52;
  private static final long LEAST_LOW_TOP = 16L << 20;
  private static final long MOST_BYTES = 16L << 40;

  private MemoryRules() {}

  static void check(
      PlatformMemory memory, int width, List<PlatformUnit> units, List<ReservedRegion> regions) {
    if (width < LEAST_WIDTH || width > MOST_WIDTH) {
      throw MalformedInput.at(
          "host address width",
          "%d bits are not between %d and %d",
          width,
          LEAST_WIDTH,
          MOST_WIDTH);
    }
    checkAmounts(memory, width);
    units.forEach(unit -> checkWindow(unit, memory, width));
    regions.forEach(region -> checkRegion(region, memory));
    checkDisjoint(regions);
  }

  /** The memory map of memory and regions that hold together. */
  static MemoryMap map(PlatformMemory memory, List<ReservedRegion> regions) {
    return MemoryMap.of(
        memory.bytes(),
        memory.lowTop(),
        regions.stream()
            .map(region -> new MemoryMap.Region(region.base(), region.limit() + 1))
            .toList());
  }

  private static void checkAmounts(PlatformMemory memory, int width) {
    requirePages("memory", memory.bytes());
    requirePages("memory below 4 GiB", memory.lowTop());
    requirePages("memory of dom0", memory.dom0Bytes());
    if (memory.lowTop() < LEAST_LOW_TOP || memory.lowTop() > FIXED_DEVICES) {
      throw MalformedInput.at(
          "memory below 4 GiB",
          "an end at 0x%x is not between 0x%x and 0x%x",
          memory.lowTop(),
          LEAST_LOW_TOP,
          FIXED_DEVICES);
    }
    if (memory.dom0Bytes() >= memory.bytes()) {
      throw MalformedInput.at(
          "memory",
          "%d bytes leave nothing beside the %d bytes of dom0",
          memory.bytes(),
          memory.dom0Bytes());
    }
    if (memory.bytes() > MOST_BYTES || memory.end() > 1L << width) {
      throw MalformedInput.at(
          "memory",
          "%d bytes reach up to 0x%x, beyond the %d bits of a machine address or 16 TiB",
          memory.bytes(),
          memory.end(),
          width);
    }
  }

  private static void requirePages(String where, long bytes) {
    if (bytes <= 0 || (bytes & PAGE_MASK) != 0) {
      throw MalformedInput.at(where, "%d bytes are not a number of 4 KiB pages", bytes);
    }
  }

  private static void checkWindow(PlatformUnit unit, PlatformMemory memory, int width) {
    String where = "unit at 0x%x".formatted(unit.base());
    if (unit.base() <= 0 || (unit.base() & PAGE_MASK) != 0) {
      throw MalformedInput.at(where, "a register window begins on a page other than the first");
    }
    if (unit.windowBytes() > (1L << width) - unit.base() || unit.base() >= 1L << width) {
      throw MalformedInput.at(where, "the register window lies beyond %d address bits", width);
    }
    if (unit.base() < memory.lowEnd()
        || (unit.end() > MemoryMap.FOUR_GIB && unit.base() < memory.end())) {
      throw MalformedInput.at(where, "the register window lies in RAM");
    }
    if (InterruptRange.contains(unit.base()) || InterruptRange.contains(unit.end() - 1)) {
      throw MalformedInput.at(where, "the register window lies where interrupts are addressed");
    }
  }

  private static void checkRegion(ReservedRegion region, PlatformMemory memory) {
    String where = region.name();
    if (Long.compareUnsigned(region.base(), region.limit()) > 0) {
      throw MalformedInput.at(where, "the base is above the limit");
    }
    if ((region.base() & PAGE_MASK) != 0 || (region.limit() & PAGE_MASK) != PAGE_MASK) {
      throw MalformedInput.at(where, "base and limit are not the first and last byte of pages");
    }
    boolean isLow = region.base() >= 0 && region.limit() < memory.lowEnd();
    boolean isHigh = region.base() >= MemoryMap.FOUR_GIB && region.limit() < memory.end();
    if (!isLow && !isHigh) {
      throw MalformedInput.at(
          where,
          "the region does not lie in RAM, which ends at 0x%x below 4 GiB and at 0x%x above",
          memory.lowEnd(),
          memory.end());
    }
  }

  private static void checkDisjoint(List<ReservedRegion> regions) {
    for (int one = 0; one < regions.size(); one++) {
      for (int other = 0; other < one; other++) {
        if (regions.get(one).overlaps(regions.get(other))) {
          throw MalformedInput.at(
              regions.get(one).name(), "the region overlaps %s", regions.get(other).name());
        }
      }
    }
  }
}
