package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.Habits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Remembered context entries, keyed by requester and tagged with the domain-id they held. Confined
 * to the machine thread.
 *
 * <p>Homes, sets and second chance are those of the {@link Iotlb}.
 *
 * @see "VT-d §6.2.2"
 */
final class ContextCache implements Digestible {
  static final long MISS = 0;

  private static final long FREE = MISS;
  private static final int FUNCTIONS = 8;
  private static final int FUNCTION_BITS = 3;

  // Folded as constants on the way of every request.
  private static final long ROOT_MASK = ContextEntry.SLPTPTR.mask();
  private static final long REF_MASK = JudgedContext.REF.mask();

  private final int entries;
  private final boolean checksDomainOfDevice;
  private final Runnable onLoss;

  /** What the entry means; {@link #FREE} where there is none. One set until something is put. */
  private long[] judged = new long[SecondChance.WAYS];

  private long[] los = {};
  private long[] his = {};
  private int homeMask = SecondChance.WAYS - 1;

  /** The entry that was found or put last, within one request. */
  private int last;

  /**
   * An empty cache.
   *
   * @param entries how many context entries it holds, a power of two and at least 4
   * @param checksDomainOfDevice see {@link Habits}
   * @param onLoss hears of every loss, and of every mark that is withdrawn
   */
  ContextCache(int entries, boolean checksDomainOfDevice, Runnable onLoss) {
    this.onLoss = onLoss;
    this.entries = entries;
    this.checksDomainOfDevice = checksDomainOfDevice;
  }

  /** What the requester's entry means, or {@link #MISS}. */
  long find(int sourceId) {
    int entry = sourceId & homeMask;
    if (!JudgedContext.isOf(sourceId, judged[entry])) {
      entry = awayFromHome(sourceId);
      if (entry < 0) {
        return MISS;
      }
    }
    last = entry;
    long meaning = judged[entry];
    if ((meaning & REF_MASK) == 0) {
      judged[entry] = meaning | REF_MASK;
    }
    return meaning;
  }

  private int awayFromHome(int sourceId) {
    for (int way = 1; way < SecondChance.WAYS; way++) {
      int entry = (sourceId & homeMask) ^ way;
      if (JudgedContext.isOf(sourceId, judged[entry])) {
        return entry;
      }
    }
    return -1;
  }

  private int entryOf(int sourceId) {
    int home = sourceId & homeMask;
    return JudgedContext.isOf(sourceId, judged[home]) ? home : awayFromHome(sourceId);
  }

  /** The root of the second-stage tables of the requester that was found or put last. */
  long secondStageRoot() {
    return los[last] & ROOT_MASK;
  }

  /** First word of the entry that was found or put last. */
  long lastLo() {
    return los[last];
  }

  /** Second word of the entry that was found or put last. */
  long lastHi() {
    return his[last];
  }

  /** The same as {@link #find}, but leaves no mark. */
  long peek(int sourceId) {
    int entry = entryOf(sourceId);
    return entry < 0 ? MISS : judged[entry];
  }

  /** The words of an entry that is remembered. */
  ContextEntry entry(int sourceId) {
    int entry = entryOf(sourceId);
    return new ContextEntry(los[entry], his[entry]);
  }

  /** Remembers an entry that {@link #find} just missed. */
  void put(long meaning, ContextEntry words) {
    if (los.length == 0) {
      makeRoom();
    }
    int entry = room(JudgedContext.sourceId(meaning) & homeMask);
    judged[entry] = meaning;
    los[entry] = words.lo();
    his[entry] = words.hi();
    last = entry;
  }

  private void makeRoom() {
    judged = new long[entries];
    los = new long[entries];
    his = new long[entries];
    homeMask = entries - 1;
  }

  private int room(int home) {
    int free = SecondChance.free(judged, home);
    if (free >= 0) {
      return free;
    }
    onLoss.run();
    return SecondChance.victim(judged, home, REF_MASK);
  }

  void invalidateAll() {
    onLoss.run();
    Arrays.fill(judged, FREE);
  }

  void invalidateDomain(int domainId) {
    for (int entry = 0; entry < judged.length; entry++) {
      freeIfOf(domainId, entry);
    }
  }

  /** Drops entries that are absent or wrong. */
  void invalidateFaults() {
    for (int entry = 0; entry < judged.length; entry++) {
      if (judged[entry] != FREE && JudgedContext.faults(judged[entry])) {
        free(entry);
      }
    }
  }

  /**
   * Drops the entries of up to eight functions.
   *
   * @param domainId what an entry must be tagged with to go, where this is checked
   * @param functionMask how many low function bits to ignore, from bit 2 down
   */
  void invalidateDevice(int domainId, SourceId requester, int functionMask) {
    int exactBits = FUNCTION_BITS - functionMask;
    for (int difference = 0; difference < FUNCTIONS; difference += 1 << exactBits) {
      int entry = entryOf(requester.value() ^ difference);
      if (entry >= 0 && checksDomainOfDevice) {
        freeIfOf(domainId, entry);
      } else if (entry >= 0) {
        free(entry);
      }
    }
  }

  /** Scalable mode's entries name no domain-id: every domain's command means them. */
  private void freeIfOf(int domainId, int entry) {
    long meaning = judged[entry];
    if (JudgedContext.isScalable(meaning) || JudgedContext.domainId(meaning) == domainId) {
      free(entry);
    }
  }

  private void free(int entry) {
    onLoss.run();
    judged[entry] = FREE;
  }

  /** What is remembered, by number of the entry. */
  List<CachedContext> entries() {
    List<CachedContext> entries = new ArrayList<>();
    for (int entry = 0; entry < judged.length; entry++) {
      if (judged[entry] != FREE) {
        ContextEntry words = new ContextEntry(los[entry], his[entry]);
        entries.add(CachedContext.of(judged[entry], words));
      }
    }
    return entries;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("context-cache");
    for (int entry = 0; entry < judged.length; entry++) {
      if (judged[entry] != FREE) {
        digest.put(entry).put(judged[entry]).put(los[entry]).put(his[entry]);
      }
    }
  }
}
