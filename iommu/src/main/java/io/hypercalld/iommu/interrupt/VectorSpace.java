package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The vectors of each processor that machine interrupts may have. Confined to the machine thread.
 *
 * <p>They are handed out eight apart, so that neighbours differ in priority.
 *
 * @see "xen/arch/x86/irq.c, _assign_irq_vector"
 */
final class VectorSpace implements Digestible {
  private static final int FIRST = 0x20;
  private static final int LAST = 0xdf;
  private static final int STRIDE = 8;

  /** The hypervisor's own gates: system call, hypercall, and the units' fault event. */
  private static final int SYSTEM_CALL = 0x80;

  private static final int HYPERCALL = 0x82;

  private final int fault;
  private final Map<Integer, Integer> interrupts = new TreeMap<>();
  private int current = FIRST;

  /**
   * @param fault the vector of units' fault events, which is nobody else's
   */
  VectorSpace(int fault) {
    this.fault = fault;
  }

  /** Vectors that a processor has for machine interrupts. */
  static int perProcessor() {
    return LAST - FIRST + 1;
  }

  /**
   * Gives an interrupt a vector of a processor.
   *
   * @throws Refusal ENOSPC all are taken; nothing changed
   */
  ProcessorVector assign(int irq, int processor) {
    int vector = current;
    do {
      vector = next(vector);
      ProcessorVector candidate = new ProcessorVector(processor, vector);
      if (isUsable(vector) && interruptAt(candidate).isEmpty()) {
        current = vector;
        interrupts.put(key(candidate), irq);
        return candidate;
      }
    } while (vector != current);
    throw Refusal.of(Errno.ENOSPC, "processor %d has no free vector", processor);
  }

  private static int next(int vector) {
    int next = vector + STRIDE;
    return next <= LAST ? next : FIRST + (vector + 1) % STRIDE;
  }

  private boolean isUsable(int vector) {
    return vector != SYSTEM_CALL && vector != HYPERCALL && vector != fault;
  }

  /** Vectors of a processor that are free. */
  int free(int processor) {
    return (int)
        IntStream.rangeClosed(FIRST, LAST)
            .filter(this::isUsable)
            .filter(vector -> interruptAt(new ProcessorVector(processor, vector)).isEmpty())
            .count();
  }

  /** Where the next search begins: to be put back where an assignment is undone. */
  int mark() {
    return current;
  }

  void rewind(int mark) {
    current = mark;
  }

  void release(ProcessorVector at) {
    interrupts.remove(key(at));
  }

  /** The interrupt whose vector it is. */
  OptionalInt interruptAt(ProcessorVector at) {
    Integer irq = interrupts.get(key(at));
    return irq == null ? OptionalInt.empty() : OptionalInt.of(irq);
  }

  private static int key(ProcessorVector at) {
    return at.processor() << Byte.SIZE | at.vector();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("vectors").put(current).put(interrupts.size());
    interrupts.forEach((key, irq) -> digest.put(key).put(irq));
  }
}
