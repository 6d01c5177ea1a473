package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.interrupt.Interrupt;
import io.hypercalld.core.interrupt.LocalApic;
import io.hypercalld.core.interrupt.LocalApics;
import io.hypercalld.iommu.vtd.InterruptMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * The machine's processors, as far as interrupts reach them. They take an interrupt at once, and
 * are done with it when the hypervisor is. Confined to the machine thread.
 */
public final class Processors implements Digestible {
  /** What a vector means to the hypervisor. */
  public interface Vectors {
    /**
     * A processor takes a vector.
     *
     * @return whom the interrupt reached in the end; empty where it ended in the hypervisor
     */
    List<GuestArrival> take(ProcessorVector at);
  }

  /** What came of an interrupt at one processor. */
  public record Arrival(ProcessorVector at, List<GuestArrival> guests) {}

  private final LocalApics apics;
  private final SortedSet<Integer> offline = new TreeSet<>();
  private Vectors vectors = _ -> List.of();
  private List<Arrival> arrivals = new ArrayList<>();

  /** Processors whose APIC ids count from 0. */
  public Processors(int count) {
    this.apics = new LocalApics(count, () -> count, index -> index);
  }

  /** Who handles interrupts from now on. */
  public void handledBy(Vectors handler) {
    vectors = handler;
  }

  /** Switches every local APIC to x2APIC mode, where ids have 32 bits. */
  public void extend() {
    apics.all().forEach(apic -> apic.setMode(LocalApic.Mode.X2APIC));
  }

  public LocalApics apics() {
    return apics;
  }

  public int count() {
    return apics.size();
  }

  /** Whether a processor of this number is there and takes interrupts. */
  public boolean isOnline(int processor) {
    return processor >= 0 && processor < count() && !offline.contains(processor);
  }

  /** The first processor that takes interrupts, from a number on and around. */
  int onlineFrom(int processor) {
    int candidate = processor % count();
    while (offline.contains(candidate)) {
      candidate = (candidate + 1) % count();
    }
    return candidate;
  }

  void setOnline(int processor, boolean on) {
    if (on) {
      offline.remove(processor);
    } else {
      offline.add(processor);
    }
  }

  /** Takes an interrupt off the bus; one of a reserved delivery mode reaches nobody. */
  public void deliver(InterruptMessage message) {
    message.interrupt().ifPresent(this::deliver);
  }

  private void deliver(Interrupt interrupt) {
    for (int processor : apics.deliver(interrupt)) {
      if (interrupt.hasVector() && isOnline(processor)) {
        serve(processor);
      }
    }
  }

  private void serve(int processor) {
    LocalApic apic = apics.find(processor).orElseThrow();
    OptionalInt vector = apic.acknowledge();
    if (vector.isPresent()) {
      ProcessorVector at = new ProcessorVector(processor, vector.getAsInt());
      // Ended before it is handled: what handling it brings about may interrupt again.
      apic.endOfInterrupt();
      arrivals.add(new Arrival(at, vectors.take(at)));
    }
  }

  /** Does something, and tells which interrupts the processors took meanwhile. */
  public <R> Observed<R> observe(Supplier<R> action) {
    List<Arrival> outer = arrivals;
    arrivals = new ArrayList<>();
    try {
      R result = action.get();
      return new Observed<>(result, List.copyOf(arrivals));
    } finally {
      arrivals = outer;
    }
  }

  /** What was done and which interrupts it brought. */
  public record Observed<R>(R result, List<Arrival> arrivals) {}

  @Override
  public void digest(StateDigest digest) {
    digest.section("processors").put(apics).put(offline.toString());
  }
}
