package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.Interrupt;
import io.hypercalld.core.interrupt.LocalApic;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.interrupt.VirtualProcessor.State;
import io.hypercalld.iommu.vtd.PostedDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A domain's vCPUs on the machine's processors, and the descriptors to which hardware posts their
 * interrupts. Confined to the machine thread.
 *
 * <p>While a vCPU runs, notifications go to its processor; while it waits for one, none are sent;
 * while it is blocked, they wake it up. NDST is right before SN is cleared, and NV before the vCPU
 * leaves the list of those to wake.
 *
 * @see "xen/arch/x86/hvm/vmx/vmx.c, vmx_pi_switch_to, vmx_pi_switch_from, vmx_vcpu_block"
 */
public final class VirtualProcessors implements DomainFacet {
  /** The vector of notifications while a vCPU runs. */
  static final int POSTED_VECTOR = 0xf2;

  /** The vector of notifications while a vCPU is blocked. */
  static final int WAKEUP_VECTOR = 0xf3;

  private final Domain domain;
  private final Processors processors;
  private final boolean extended;
  private final MachineMemory memory;
  private final FrameAllocator allocator;
  private final List<VirtualProcessor> places = new ArrayList<>();
  private final List<Mfn> frames = new ArrayList<>();

  /**
   * vCPUs that run, spread over the processors.
   *
   * @param processors the machine's
   * @param extended whether these have 32-bit ids
   */
  VirtualProcessors(Domain domain, Processors processors, boolean extended, Storage storage) {
    this.domain = domain;
    this.processors = processors;
    this.extended = extended;
    this.memory = storage.memory();
    this.allocator = storage.allocator();
    for (int vcpu = 0; vcpu < domain.settings().maxVcpus(); vcpu++) {
      int processor = processors.onlineFrom(domain.id().value() + vcpu);
      places.add(new VirtualProcessor(State.RUNNING, processor, OptionalLong.empty()));
    }
  }

  /** Where descriptors lie. */
  record Storage(MachineMemory memory, FrameAllocator allocator) {}

  public Domain domain() {
    return domain;
  }

  /**
   * Where a vCPU is.
   *
   * @throws Refusal ENOENT the domain has no such vCPU
   */
  public VirtualProcessor place(int vcpu) {
    if (vcpu < 0 || vcpu >= domain.run().vcpus()) {
      throw Refusal.of(Errno.ENOENT, "%s has no vCPU %d", domain.id(), vcpu);
    }
    return places.get(vcpu);
  }

  /**
   * The descriptor of a vCPU, made when it is first asked for.
   *
   * @throws Refusal ENOMEM
   */
  long descriptor(int vcpu) {
    VirtualProcessor place = place(vcpu);
    if (place.descriptor().isPresent()) {
      return place.descriptor().getAsLong();
    }
    int perFrame = PageSize.BYTES_4K / PostedDescriptor.BYTES;
    while (frames.size() <= vcpu / perFrame) {
      frames.add(
          new Mfn(allocator.allocate(PageSize.SIZE_4K, FrameTable.NO_OWNER, FrameUse.HYPERVISOR)));
    }
    long at = frames.get(vcpu / perFrame).maddr() + (long) vcpu % perFrame * PostedDescriptor.BYTES;
    places.set(vcpu, place.with(at));
    memory.writeWord(
        control(at), PostedDescriptor.control(POSTED_VECTOR, place.processor(), extended));
    enter(vcpu);
    return at;
  }

  /** Brings a descriptor that is new in line with what its vCPU does. */
  private void enter(int vcpu) {
    switch (place(vcpu).state()) {
      case RUNNING -> {}
      case RUNNABLE -> suppress(vcpu, true);
      case BLOCKED -> setNotification(vcpu, WAKEUP_VECTOR);
    }
  }

  private static long control(long descriptor) {
    return descriptor + PostedDescriptor.CONTROL_OFFSET;
  }

  /**
   * A processor begins to run the vCPU, and takes over what was posted meanwhile.
   *
   * @throws Refusal ENOENT no such vCPU; EINVAL no such processor, or it is offline
   */
  void run(int vcpu, Optional<Integer> processor) {
    VirtualProcessor place = place(vcpu);
    int target = processor.orElse(place.processor());
    if (!processors.isOnline(target)) {
      throw Refusal.of(Errno.EINVAL, "there is no processor %d that is online", target);
    }
    if (place.state() == State.BLOCKED) {
      wake(vcpu);
    } else if (place.processor() != target) {
      preempt(vcpu);
    }
    places.set(vcpu, place.on(target).in(State.RUNNING));
    setNotification(vcpu, POSTED_VECTOR);
    suppress(vcpu, false);
    synchronise(vcpu);
  }

  /** The vCPU loses its processor: what arrives is noted, and notifies nobody. */
  public void preempt(int vcpu) {
    VirtualProcessor place = place(vcpu);
    if (place.state() == State.RUNNING) {
      places.set(vcpu, place.in(State.RUNNABLE));
      suppress(vcpu, true);
    }
  }

  /** The vCPU waits for an interrupt; no effect where one is there already. */
  public void block(int vcpu) {
    VirtualProcessor place = place(vcpu);
    synchronise(vcpu);
    boolean pending = apic(vcpu).filter(apic -> apic.pending().isPresent()).isPresent();
    if (place.state() == State.RUNNING && !pending) {
      places.set(vcpu, place.in(State.BLOCKED));
      setNotification(vcpu, WAKEUP_VECTOR);
    }
  }

  /** The vCPU waits for a processor again. */
  public void wake(int vcpu) {
    VirtualProcessor place = place(vcpu);
    if (place.state() == State.BLOCKED) {
      setNotification(vcpu, POSTED_VECTOR);
      suppress(vcpu, true);
      places.set(vcpu, place.in(State.RUNNABLE));
    }
  }

  /**
   * A processor goes: its vCPUs continue on another one. Notifications are suppressed while their
   * destination changes, so that none goes where nobody takes it; of a vCPU for which one had gone
   * already, nobody else would hear.
   *
   * @see "xen/arch/x86/hvm/vmx/vmx.c, vmx_pi_desc_fixup"
   */
  void leave(int processor, int other) {
    for (int vcpu = 0; vcpu < domain.run().vcpus(); vcpu++) {
      VirtualProcessor place = place(vcpu);
      if (place.processor() == processor) {
        suppress(vcpu, true);
        places.set(vcpu, place.on(other));
        setNotification(vcpu, place.state() == State.BLOCKED ? WAKEUP_VECTOR : POSTED_VECTOR);
        suppress(vcpu, place.state() == State.RUNNABLE);
        takeUp(vcpu);
      }
    }
  }

  /** What was posted to a processor that is gone does not wait for another notification. */
  private void takeUp(int vcpu) {
    if (isNotified(vcpu)) {
      switch (place(vcpu).state()) {
        case RUNNING -> synchronise(vcpu);
        case BLOCKED -> wake(vcpu);
        case RUNNABLE -> {}
      }
    }
  }

  private void setNotification(int vcpu, int vector) {
    VirtualProcessor place = place(vcpu);
    place
        .descriptor()
        .ifPresent(
            at -> {
              long kept =
                  memory.readWord(control(at))
                      & (PostedDescriptor.ON.mask() | PostedDescriptor.SN.mask());
              memory.writeWord(
                  control(at),
                  kept | PostedDescriptor.control(vector, place.processor(), extended));
            });
  }

  private void suppress(int vcpu, boolean on) {
    place(vcpu)
        .descriptor()
        .ifPresent(
            at ->
                memory.writeWord(
                    control(at),
                    PostedDescriptor.SN.put(memory.readWord(control(at)), on ? 1 : 0)));
  }

  /** Whether hardware sent a notification that nobody looked at yet. */
  boolean isNotified(int vcpu) {
    OptionalLong at = place(vcpu).descriptor();
    return at.isPresent() && PostedDescriptor.ON.isSet(memory.readWord(control(at.getAsLong())));
  }

  /** Moves what was posted into the vCPU's local APIC; the vectors, ascending. */
  List<Integer> synchronise(int vcpu) {
    OptionalLong descriptor = place(vcpu).descriptor();
    if (descriptor.isEmpty()) {
      return List.of();
    }
    long at = descriptor.getAsLong();
    memory.writeWord(control(at), PostedDescriptor.ON.clear(memory.readWord(control(at))));
    List<Integer> vectors = posted(at);
    for (int vector : vectors) {
      long word = at + PostedDescriptor.requestOffset(vector);
      memory.writeWord(word, memory.readWord(word) & ~PostedDescriptor.requestBit(vector));
      apic(vcpu).ifPresent(apic -> accept(apic, vector));
    }
    return vectors;
  }

  private void accept(LocalApic apic, int vector) {
    domain.facet(DomainInterrupts.class).apics().deliver(Interrupt.fixed(vector).to(apic.id()));
  }

  /** Vectors that wait in a descriptor, ascending. */
  List<Integer> posted(long at) {
    List<Integer> vectors = new ArrayList<>();
    for (int vector = 0; vector < 256; vector++) {
      long word = memory.readWord(at + PostedDescriptor.requestOffset(vector));
      if ((word & PostedDescriptor.requestBit(vector)) != 0) {
        vectors.add(vector);
      }
    }
    return vectors;
  }

  private Optional<LocalApic> apic(int vcpu) {
    return domain
        .findFacet(DomainInterrupts.class)
        .flatMap(interrupts -> interrupts.apics().find(vcpu));
  }

  @Override
  public boolean relinquish() {
    frames.forEach(frame -> allocator.free(frame.value()));
    frames.clear();
    places.replaceAll(
        place -> new VirtualProcessor(place.state(), place.processor(), OptionalLong.empty()));
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("virtual-processors");
    places.forEach(place -> digest.put(place.toString()));
  }
}
