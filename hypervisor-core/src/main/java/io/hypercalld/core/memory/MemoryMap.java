package io.hypercalld.core.memory;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What lies where in the machine's address space, as firmware would report it. Immutable.
 *
 * <p>The layout is a PC's: RAM from 0 to the top of low memory, a hole for devices up to 4 GiB, the
 * rest of the RAM above. Legacy video and firmware below 1 MiB and the regions that the platform
 * names are reserved: RAM that no allocator hands out.
 *
 * @param lowTop first byte above low RAM; a multiple of 4 KiB, at most 4 GiB
 * @param highTop first byte above high RAM; 4 GiB where there is none
 * @param reserved RAM kept by firmware, ascending and disjoint, each half-open and on page
 *     boundaries
 */
public record MemoryMap(long lowTop, long highTop, List<Region> reserved) {
  /** First byte above the addresses that 32 bits reach. */
  public static final long FOUR_GIB = 1L << 32;

  /** Where firmware begins to own the first megabyte, and where it ends. */
  public static final Region LEGACY = new Region(0xa_0000L, 0x10_0000L);

  /** A half-open range of machine addresses. */
  public record Region(long start, long end) {
    public Region {
      if (start < 0 || end <= start) {
        throw new IllegalArgumentException("no region 0x%x-0x%x".formatted(start, end));
      }
    }

    public boolean overlaps(Region other) {
      return start < other.end && other.start < end;
    }

    public long bytes() {
      return end - start;
    }
  }

  public MemoryMap {
    reserved = List.copyOf(reserved);
  }

  /**
   * A machine of {@code bytes} RAM whose low memory ends at {@code lowTop} or with the RAM.
   *
   * @param reserved page-aligned regions of low or high RAM that firmware keeps; may touch or
   *     overlap
   * @throws IllegalArgumentException where a reserved region is not RAM
   */
  public static MemoryMap of(long bytes, long lowTop, List<Region> reserved) {
    long low = Math.min(bytes, lowTop);
    long high = FOUR_GIB + (bytes - low);
    List<Region> all = new ArrayList<>(reserved);
    all.add(LEGACY);
    MemoryMap map = new MemoryMap(low, high, merge(all));
    map.reserved.stream()
        .filter(region -> !map.isRam(region.start, region.bytes()))
        .findFirst()
        .ifPresent(
            region -> {
              throw new IllegalArgumentException(
                  "reserved region 0x%x-0x%x is not in RAM"
                      .formatted(region.start, region.end - 1));
            });
    return map;
  }

  private static List<Region> merge(List<Region> regions) {
    List<Region> merged = new ArrayList<>();
    regions.stream()
        .sorted(Comparator.comparingLong(Region::start))
        .forEach(
            region -> {
              Region last = merged.isEmpty() ? null : merged.getLast();
              if (last != null && region.start <= last.end) {
                merged.set(
                    merged.size() - 1, new Region(last.start, Math.max(last.end, region.end)));
              } else {
                merged.add(region);
              }
            });
    return merged;
  }

  /** Whether all of {@code length} bytes at {@code maddr} are RAM; false where the range wraps. */
  public boolean isRam(long maddr, long length) {
    if (maddr < 0 || length < 0) {
      return false;
    }
    return maddr < lowTop
        ? length <= lowTop - maddr
        : maddr >= FOUR_GIB && maddr <= highTop && length <= highTop - maddr;
  }

  /** The RAM that may be handed out, ascending: all but the reserved regions. */
  public List<Region> usable() {
    List<Region> usable = new ArrayList<>();
    for (Region ram : ram()) {
      long start = ram.start;
      for (Region hole : reserved) {
        if (hole.overlaps(ram)) {
          if (hole.start > start) {
            usable.add(new Region(start, hole.start));
          }
          start = hole.end;
        }
      }
      if (start < ram.end) {
        usable.add(new Region(start, ram.end));
      }
    }
    return usable;
  }

  /** Bytes of RAM, reserved regions included. */
  public long ramBytes() {
    return lowTop + (highTop - FOUR_GIB);
  }

  private List<Region> ram() {
    return highTop == FOUR_GIB
        ? List.of(new Region(0, lowTop))
        : List.of(new Region(0, lowTop), new Region(FOUR_GIB, highTop));
  }
}
