package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.vtd.PasidEntry;
import java.util.Arrays;

/**
 * Remembered PASID-table entries, keyed by requester and PASID and tagged with the domain-id they
 * held. Confined to the machine thread.
 *
 * <p>Homes, sets and second chance are those of the {@link Iotlb}.
 *
 * @see "VT-d §6.2.3"
 */
final class PasidCache implements Digestible {
  static final long MISS = 0;

  private static final long FREE = 0;
  private static final int PASID_BITS = 20;
  private static final long PASID_MASK = (1L << PASID_BITS) - 1;
  private static final long VALID = 1L << 36;
  private static final long REF_MASK = JudgedPasid.REF.mask();

  private final int most;
  private final Runnable onLoss;

  /** Requester and PASID; {@link #FREE} where there is none. One set until something is put. */
  private long[] keys = new long[SecondChance.WAYS];

  private long[] judged = new long[SecondChance.WAYS];
  private PasidEntry[] entries = absent(SecondChance.WAYS);
  private int homeMask = SecondChance.WAYS - 1;

  /** The entry that was found or put last. */
  private int last;

  /**
   * An empty cache.
   *
   * @param most how many PASID entries it holds, a power of two and at least 4
   * @param onLoss hears of every loss, and of every mark that is withdrawn
   */
  PasidCache(int most, Runnable onLoss) {
    this.most = most;
    this.onLoss = onLoss;
  }

  private static PasidEntry[] absent(int count) {
    PasidEntry[] entries = new PasidEntry[count];
    Arrays.fill(entries, PasidEntry.ABSENT);
    return entries;
  }

  /** What the requester's PASID entry means, a {@link JudgedPasid} word, or {@link #MISS}. */
  long find(int sourceId, int pasid) {
    int entry = entryOf(key(sourceId, pasid));
    if (entry < 0) {
      return MISS;
    }
    last = entry;
    long meaning = judged[entry];
    if ((meaning & REF_MASK) == 0) {
      judged[entry] = meaning | REF_MASK;
    }
    return meaning;
  }

  /** The same as {@link #find}, but leaves no mark. */
  long peek(int sourceId, int pasid) {
    int entry = entryOf(key(sourceId, pasid));
    return entry < 0 ? MISS : judged[entry];
  }

  /** The entry that was found or put last. */
  PasidEntry lastEntry() {
    return entries[last];
  }

  /** An entry that is remembered. */
  PasidEntry entry(int sourceId, int pasid) {
    return entries[entryOf(key(sourceId, pasid))];
  }

  private static long key(int sourceId, int pasid) {
    return VALID | (long) sourceId << PASID_BITS | pasid;
  }

  private int home(long key) {
    return (int) (key ^ key >>> PASID_BITS) & homeMask;
  }

  private int entryOf(long key) {
    int home = home(key);
    for (int way = 0; way < SecondChance.WAYS; way++) {
      if (keys[home ^ way] == key) {
        return home ^ way;
      }
    }
    return -1;
  }

  /** Remembers an entry that {@link #find} just missed. */
  void put(int sourceId, int pasid, long meaning, PasidEntry entry) {
    if (keys.length < most) {
      makeRoom();
    }
    long key = key(sourceId, pasid);
    int room = room(home(key));
    keys[room] = key;
    judged[room] = meaning;
    entries[room] = entry;
    last = room;
  }

  private void makeRoom() {
    keys = new long[most];
    judged = new long[most];
    entries = absent(most);
    homeMask = most - 1;
  }

  private int room(int home) {
    int free = SecondChance.free(keys, home);
    if (free >= 0) {
      return free;
    }
    onLoss.run();
    return SecondChance.victim(judged, home, REF_MASK);
  }

  void invalidateAll() {
    onLoss.run();
    Arrays.fill(keys, FREE);
  }

  void invalidateDomain(int domainId) {
    for (int entry = 0; entry <= homeMask; entry++) {
      freeIfOf(domainId, entry);
    }
  }

  /** Drops the entries of a PASID of all requesters. */
  void invalidatePasid(int domainId, int pasid) {
    for (int entry = 0; entry <= homeMask; entry++) {
      if ((keys[entry] & PASID_MASK) == pasid) {
        freeIfOf(domainId, entry);
      }
    }
  }

  /** Drops entries that are absent or wrong. */
  void invalidateFaults() {
    for (int entry = 0; entry <= homeMask; entry++) {
      if (keys[entry] != FREE && JudgedPasid.faults(judged[entry])) {
        free(entry);
      }
    }
  }

  /** An absent entry is tagged with domain-id 0, as an absent context entry is. */
  private void freeIfOf(int domainId, int entry) {
    int tag = JudgedPasid.faults(judged[entry]) ? 0 : entries[entry].domainId();
    if (keys[entry] != FREE && tag == domainId) {
      free(entry);
    }
  }

  private void free(int entry) {
    onLoss.run();
    keys[entry] = FREE;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("pasid-cache");
    for (int entry = 0; entry <= homeMask; entry++) {
      if (keys[entry] != FREE) {
        PasidEntry words = entries[entry];
        digest.put(entry).put(keys[entry]).put(judged[entry]);
        digest.put(words.q0()).put(words.q1()).put(words.q2()).put(words.rest());
      }
    }
  }
}
