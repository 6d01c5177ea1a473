package io.hypercalld.core.guest;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An instruction that accesses memory, and what it has got so far. Confined to the machine thread.
 *
 * <p>Where an emulator has to be asked the instruction ends half way and is executed again once the
 * answer is there. So that it comes to the same, what emulators answered is not asked again, and
 * what it loaded before it stored is not loaded again: the emulator may have changed it.
 *
 * @see "xen/arch/x86/hvm/emulate.c, struct hvm_mmio_cache and struct hvmemul_cache"
 */
public final class GuestInstruction implements Digestible {
  private SortedMap<Long, Long> read = Collections.emptySortedMap();
  private SortedMap<Long, Long> written = Collections.emptySortedMap();
  private SortedMap<Long, Integer> lost = Collections.emptySortedMap();
  private final GuestRequest request;
  private Optional<Long> loaded = Optional.empty();

  public GuestInstruction(GuestRequest request) {
    this.request = request;
  }

  public GuestRequest request() {
    return request;
  }

  /** An emulator answered for the part that begins at an address. */
  public void answered(long gpa, boolean writes, long data) {
    if (writes) {
      written = with(written, gpa, data);
    } else {
      read = with(read, gpa, data);
    }
  }

  /** What an emulator answered for a part. */
  Optional<Long> answer(long gpa, boolean writes) {
    return Optional.ofNullable((writes ? written : read).get(gpa));
  }

  /** What it writes from an address on goes nowhere. */
  void lose(long gpa, int size) {
    lost = with(lost, gpa, size);
  }

  // Most instructions have one answer and lose nothing.
  private static <V> SortedMap<Long, V> with(SortedMap<Long, V> map, long gpa, V value) {
    SortedMap<Long, V> grown = map.isEmpty() ? new TreeMap<>() : map;
    grown.put(gpa, value);
    return grown;
  }

  /** What went nowhere of what it wrote: the bytes, by the address of the first. */
  public SortedMap<Long, Integer> lost() {
    return Collections.unmodifiableSortedMap(lost);
  }

  /** What was loaded of memory that is stored to afterwards. */
  Optional<Long> loaded() {
    return loaded;
  }

  void loaded(long number) {
    loaded = Optional.of(number);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(request.toString()).put(loaded.isPresent()).put(loaded.orElse(0L)).put(read.size());
    read.forEach((gpa, data) -> digest.put(gpa).put(data));
    written.forEach((gpa, data) -> digest.put(gpa).put(data));
    lost.forEach((gpa, size) -> digest.put(gpa).put(size));
  }
}
