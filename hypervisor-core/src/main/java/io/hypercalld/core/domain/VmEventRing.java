package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The way events go to a pager or a monitor, and answers come back. Confined to the machine thread.
 *
 * <p>Its page is the guest's, and referred to while the ring is in use; its slots are not written,
 * as whoever listens reads the events from here.
 *
 * @see "xen/common/vm_event.c"
 */
public final class VmEventRing implements Digestible {
  /** Slots of a page: a request is larger than 256 bytes and their number is a power of two. */
  static final int SLOTS = 8;

  /** {@code XEN_DOMCTL_VM_EVENT_OP_*}. */
  public enum Kind {
    PAGING(1, HvmParams.PAGING_RING_PFN),
    MONITOR(2, HvmParams.MONITOR_RING_PFN),
    SHARING(3, HvmParams.SHARING_RING_PFN);

    private final int number;
    private final int parameter;

    Kind(int number, int parameter) {
      this.number = number;
      this.parameter = parameter;
    }

    /** The kind of the number. */
    public static Optional<Kind> ofNumber(long number) {
      return List.of(values()).stream().filter(kind -> kind.number == number).findFirst();
    }

    /** The {@link HvmParams} number that names the ring's guest frame. */
    int parameter() {
      return parameter;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final TreeMap<Long, VmEvent> waiting = new TreeMap<>();
  private final Domain domain;
  private final Kind kind;
  private Optional<RingPage> page = Optional.empty();

  VmEventRing(Domain domain, Kind kind) {
    this.domain = domain;
    this.kind = kind;
  }

  /** The page that it holds while somebody listens. */
  public Optional<Mfn> page() {
    return page.map(RingPage::mfn);
  }

  /** Whether somebody listens. */
  public boolean isEnabled() {
    return page.isPresent();
  }

  /**
   * Lets somebody listen, over the page that the domain's parameter names.
   *
   * @throws Refusal EBUSY somebody does; EOPNOTSUPP no page is named; ENOENT it is paged out or
   *     shared; EINVAL there is no page of the domain's, or none to be written
   */
  void enable(long gfn) {
    if (isEnabled()) {
      throw Refusal.of(Errno.EBUSY, "somebody listens to the %s ring of %s", kind, domain.id());
    }
    if (gfn == 0) {
      throw Refusal.of(
          Errno.EOPNOTSUPP,
          "parameter %d of %s does not name the page of its %s ring",
          kind.parameter,
          domain.id(),
          kind);
    }
    page = Optional.of(domain.physicalMap().orElseThrow().holdRing(new Gfn(gfn)));
  }

  /** Nobody listens any more: vCPUs that wait go on and try again. */
  void disable() {
    waiting.values().stream()
        .filter(VmEvent::vcpuPaused)
        .forEach(event -> domain.run().unpauseVcpu(event.vcpu()));
    waiting.clear();
    page.ifPresent(RingPage::release);
    page = Optional.empty();
  }

  /** Whether another event can be put in. */
  boolean hasRoom() {
    return waiting.size() < SLOTS;
  }

  /** Puts an event in, and pauses the vCPU that is to wait for the answer. */
  void put(VmEvent event) {
    waiting.put(event.id(), event);
    if (event.vcpuPaused()) {
      domain.run().pauseVcpu(event.vcpu());
    }
  }

  /** Takes an event out, as it was answered, and lets its vCPU go on; empty where there is none. */
  Optional<VmEvent> answered(long id) {
    Optional<VmEvent> event = Optional.ofNullable(waiting.remove(id));
    event.filter(VmEvent::vcpuPaused).ifPresent(paused -> domain.run().unpauseVcpu(paused.vcpu()));
    return event;
  }

  /** Events without an answer yet, oldest first. */
  public List<VmEvent> waiting() {
    return List.copyOf(waiting.values());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(kind.name()).put(page().map(Mfn::value).orElse(-1L)).put(waiting.size());
    waiting.values().forEach(event -> digest.put(event.toString()));
  }
}
