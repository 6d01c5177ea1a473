package io.hypercalld.api.rest;

import java.lang.ref.SoftReference;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/**
 * Lists of which somebody has read a part, as they were then: so all pages are of one revision,
 * whatever happens meanwhile. Thread-safe.
 *
 * <p>They are kept as long as there is memory for them, and the last sixteen at most.
 */
public final class Listings {
  static final int MOST = 16;

  private final LinkedHashMap<Long, SoftReference<Listing>> kept = new LinkedHashMap<>();
  private long last;

  /**
   * A list, or as much of it as is kept. Immutable.
   *
   * @param subject what it is a list of, filters included
   * @param revision of the machine then
   * @param rest where it goes on beyond what is kept; empty where that is all
   */
  public record Listing(String subject, long revision, List<Object> items, Optional<String> rest) {
    public Listing {
      items = List.copyOf(items);
    }
  }

  /** Keeps a list; its number from now on. */
  public synchronized long keep(Listing listing) {
    last++;
    kept.put(last, new SoftReference<>(listing));
    if (kept.size() > MOST) {
      kept.pollFirstEntry();
    }
    return last;
  }

  /** The list of a number; empty where it is not kept any more. */
  public synchronized Optional<Listing> find(long number) {
    return Optional.ofNullable(kept.get(number)).map(SoftReference::get);
  }

  /** Forgets all of them, and never uses their numbers again. */
  synchronized void clear() {
    kept.clear();
  }
}
