package io.hypercalld.core.guest;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.Collections;
import java.util.OptionalLong;
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
  /** An access lies in one page or two, each of which is read, or written, or both. */
  private static final OptionalLong[] NO_ANSWERS = {
    OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty()
  };

  private final GuestRequest request;
  private OptionalLong[] answers = NO_ANSWERS;
  private OptionalLong loaded = OptionalLong.empty();
  private SortedMap<Long, Integer> lost = Collections.emptySortedMap();

  public GuestInstruction(GuestRequest request) {
    this.request = request;
  }

  public GuestRequest request() {
    return request;
  }

  /** An emulator answered for the part that begins at an address. */
  public void answered(long gpa, boolean writes, long data) {
    answers = answers.clone();
    answers[index(gpa, writes)] = OptionalLong.of(data);
  }

  /** What an emulator answered for a part. */
  OptionalLong answer(long gpa, boolean writes) {
    return answers[index(gpa, writes)];
  }

  private int index(long gpa, boolean writes) {
    return (gpa == request.gpa().value() ? 0 : 1) + (writes ? 2 : 0);
  }

  /** What it writes from an address on goes nowhere. */
  void lose(long gpa, int size) {
    lost = lost.isEmpty() ? new TreeMap<>() : lost;
    lost.put(gpa, size);
  }

  /** What went nowhere of what it wrote: the bytes, by the address of the first. */
  public SortedMap<Long, Integer> lost() {
    return Collections.unmodifiableSortedMap(lost);
  }

  /** Whether any of what it wrote went nowhere. */
  public boolean losesSome() {
    return !lost.isEmpty();
  }

  /** What was loaded of memory that is stored to afterwards. */
  OptionalLong loaded() {
    return loaded;
  }

  void loaded(long number) {
    loaded = OptionalLong.of(number);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(request.toString()).put(loaded.toString());
    for (OptionalLong answer : answers) {
      digest.put(answer.toString());
    }
    lost.forEach((gpa, size) -> digest.put(gpa).put(size));
  }
}
