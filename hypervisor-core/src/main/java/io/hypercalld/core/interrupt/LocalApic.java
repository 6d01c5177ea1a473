package io.hypercalld.core.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The local APIC of one processor, as far as interrupts arrive there. Confined to the machine
 * thread.
 *
 * <p>It starts as an operating system leaves it: enabled, in xAPIC mode with flat logical ids, and
 * with no priority threshold. INIT has it forget all but its mode, and its processor wait for a
 * start-up; until then it takes no vectors.
 *
 * @see "Intel SDM vol. 3 §10; xen/arch/x86/hvm/vlapic.c"
 */
public final class LocalApic implements Digestible {
  /** Which ids it has, and whether it takes interrupts at all. */
  public enum Mode {
    DISABLED,
    XAPIC,
    X2APIC
  }

  /** How xAPIC logical ids are matched: DFR. */
  public enum Model {
    FLAT,
    CLUSTER
  }

  /** Vectors below are the processor's exceptions: an interrupt with one of them is dropped. */
  public static final int LOWEST_VECTOR = 16;

  private static final int XAPIC_BROADCAST = 0xff;
  private static final int X2APIC_BROADCAST = -1;
  private static final int PRIORITY_CLASS = 0xf0;
  private static final int FLAT_IDS = 8;

  private final int id;
  private final int initialLogicalId;
  private final VectorSet requested = new VectorSet();
  private final VectorSet inService = new VectorSet();
  private final VectorSet levels = new VectorSet();
  private final Map<DeliveryMode, Long> arrivals = new EnumMap<>(DeliveryMode.class);
  private Mode mode = Mode.XAPIC;
  private Model model = Model.FLAT;
  private int logicalId;
  private int taskPriority;
  private boolean waiting;
  private int startPage;

  /**
   * An APIC after power-on.
   *
   * @param id its x2APIC id, of which xAPIC mode has the low 8 bits
   * @param index of the processor among its like: the first eight have a flat logical id
   */
  LocalApic(int id, int index) {
    this.id = id;
    this.initialLogicalId = index < FLAT_IDS ? 1 << index : 0;
    this.logicalId = initialLogicalId;
    if (id >= XAPIC_BROADCAST) {
      mode = Mode.X2APIC;
    }
  }

  /** Its id: 8 bits in xAPIC mode, 32 in x2APIC mode. */
  public int id() {
    return mode == Mode.X2APIC ? id : id & XAPIC_BROADCAST;
  }

  /** Its id as x2APIC mode has it, whatever its mode. */
  int wholeId() {
    return id;
  }

  public Mode mode() {
    return mode;
  }

  public void setMode(Mode to) {
    mode = to;
  }

  public Model model() {
    return model;
  }

  /**
   * Its logical id: of software's choice in xAPIC mode, derived from {@link #id} in x2APIC mode.
   */
  public int logicalId() {
    return mode == Mode.X2APIC ? (id >>> 4) << 16 | 1 << (id & 0xf) : logicalId;
  }

  /** Gives it a logical id of 8 bits for xAPIC mode: LDR and DFR. */
  public void setLogicalId(int to, Model matched) {
    logicalId = to & XAPIC_BROADCAST;
    model = matched;
  }

  public int taskPriority() {
    return taskPriority;
  }

  /** Holds back vectors of the priority's class and below: TPR, 8 bits. */
  public void setTaskPriority(int to) {
    taskPriority = to & 0xff;
  }

  /** PPR: the task priority, or the class of the vector in service where that is higher. */
  public int processorPriority() {
    int served = inService.highest().orElse(0) & PRIORITY_CLASS;
    return (taskPriority & PRIORITY_CLASS) >= served ? taskPriority : served;
  }

  /** Whether its processor waits for a start-up since an INIT. */
  public boolean isWaiting() {
    return waiting;
  }

  /** Where the last start-up had its processor start: bits 19:12 of an address; 0 before any. */
  public int startPage() {
    return startPage;
  }

  /** Whether it takes interrupts of a kind. */
  boolean takes(DeliveryMode delivery) {
    boolean able =
        switch (delivery) {
          case FIXED, LOWEST_PRIORITY -> !waiting;
          case START_UP -> waiting;
          case SMI, NMI, INIT, EXTINT -> true;
        };
    return able && mode != Mode.DISABLED;
  }

  /** Whether an interrupt is meant for it, other processors aside. */
  public boolean matches(Interrupt interrupt) {
    return interrupt.logical()
        ? matchesLogical(interrupt.destination())
        : interrupt.destination() == id() || isBroadcast(interrupt.destination());
  }

  private boolean isBroadcast(int destination) {
    return destination == (mode == Mode.X2APIC ? X2APIC_BROADCAST : XAPIC_BROADCAST);
  }

  private boolean matchesLogical(int destination) {
    if (isBroadcast(destination)) {
      return true;
    }
    int own = logicalId();
    if (mode == Mode.X2APIC) {
      return own >>> 16 == destination >>> 16 && (own & destination & 0xffff) != 0;
    }
    return model == Model.FLAT
        ? (own & destination) != 0
        : own >>> 4 == destination >>> 4 && (own & destination & 0xf) != 0;
  }

  /**
   * Takes an interrupt that is meant for it. A vector that is requested already stays one request.
   */
  void accept(Interrupt interrupt) {
    if (interrupt.hasVector() && interrupt.vector() < LOWEST_VECTOR) {
      return;
    }
    switch (interrupt.delivery()) {
      case FIXED, LOWEST_PRIORITY -> {
        requested.put(interrupt.vector(), true);
        levels.put(interrupt.vector(), interrupt.level());
      }
      case INIT -> reset();
      case START_UP -> {
        waiting = false;
        startPage = interrupt.vector();
      }
      case SMI, NMI, EXTINT -> {}
    }
    arrivals.merge(interrupt.delivery(), 1L, Long::sum);
  }

  private void reset() {
    requested.clear();
    inService.clear();
    levels.clear();
    model = Model.FLAT;
    logicalId = initialLogicalId;
    taskPriority = 0;
    waiting = true;
  }

  /** The vector that the processor would take next; empty where its priority holds all back. */
  public OptionalInt pending() {
    int threshold = processorPriority() & PRIORITY_CLASS;
    OptionalInt next = requested.highest();
    return next.isPresent() && (next.getAsInt() & PRIORITY_CLASS) > threshold
        ? next
        : OptionalInt.empty();
  }

  /** The processor takes the next vector into service, if there is one. */
  public OptionalInt acknowledge() {
    OptionalInt next = pending();
    next.ifPresent(
        vector -> {
          requested.put(vector, false);
          inService.put(vector, true);
        });
    return next;
  }

  /** EOI: the highest vector in service is done with. */
  public OptionalInt endOfInterrupt() {
    OptionalInt served = inService.highest();
    served.ifPresent(vector -> inService.put(vector, false));
    return served;
  }

  public boolean isLevel(int vector) {
    return levels.has(vector);
  }

  /** Requested vectors, ascending. */
  public List<Integer> irr() {
    return requested.all();
  }

  /** Vectors in service, ascending. */
  public List<Integer> isr() {
    return inService.all();
  }

  /** Vectors whose last interrupt was level triggered, ascending. */
  public List<Integer> tmr() {
    return levels.all();
  }

  /** Interrupts that arrived, by delivery mode; only modes that occurred. */
  public Map<DeliveryMode, Long> arrivals() {
    return Map.copyOf(arrivals);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(id).put(mode.name()).put(model.name()).put(logicalId).put(taskPriority);
    digest.put(requested).put(inService).put(levels).put(waiting).put(startPage);
    arrivals.forEach((delivery, count) -> digest.put(delivery.encoding()).put(count));
  }
}
