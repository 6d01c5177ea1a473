package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.domain.Host;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.event.EventChannels;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.ioreq.page.RequestType;
import io.hypercalld.ioreq.server.IoServers;
import io.hypercalld.ioreq.server.IoreqNotice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** What the vCPUs of a domain wait for. Confined to the machine thread. */
public final class DomainIo implements DomainFacet {
  /** {@code XEN_X86_EMU_RTC}. */
  private static final long EMULATES_RTC = 0x8;

  private final List<VcpuIo> vcpus = new ArrayList<>();
  private final PendingRequests pending = new PendingRequests();
  private final TreeMap<Integer, InjectedEvent> events = new TreeMap<>();
  private final IoCounters counters = new IoCounters();
  private final RealTimeClock realTimeClock = new RealTimeClock();
  private final Domain domain;
  private final IoServers servers;
  private final EventChannels channels;
  private TimeoutPolicy timeout = TimeoutPolicy.NONE;
  private long emulatedPirq;
  private long last;
  private Optional<LostWrite> lastLost = Optional.empty();

  DomainIo(Domain domain) {
    this.domain = domain;
    this.servers = domain.facet(IoServers.class);
    this.channels = domain.facet(EventChannels.class);
  }

  /** A write that is tried again and again, as no server has the page. */
  public record Stuck(Gfn gfn, long retries) {}

  /**
   * A write that neither memory nor a server got.
   *
   * @param gpa guest-physical address, or the port
   */
  public record LostWrite(int vcpu, RequestType type, Word gpa, long size) {}

  /** Whether the hypervisor's own clock answers at the port, whatever servers say. */
  public boolean isClock(PortAccess access) {
    return access.size() == 1
        && (access.port() == RealTimeClock.INDEX_PORT || access.port() == RealTimeClock.DATA_PORT)
        && (domain.settings().platform().emulationFlags() & EMULATES_RTC) != 0;
  }

  /** The last of the guest's writes that was lost. */
  public Optional<LostWrite> lastLost() {
    return lastLost;
  }

  void noteLost(int vcpu, long gpa, long size) {
    noteLost(new LostWrite(vcpu, RequestType.COPY, new Word(gpa), size));
  }

  void noteLost(LostWrite write) {
    counters.countLost(write.size);
    lastLost = Optional.of(write);
  }

  /**
   * Has a vCPU take an event before its next instruction.
   *
   * @throws Refusal EBUSY another one is waiting
   */
  public void inject(int vcpu, InjectedEvent event) {
    if (events.putIfAbsent(vcpu, event) != null) {
      throw Refusal.of(Errno.EBUSY, "an event waits for vCPU %d of %s already", vcpu, domain.id());
    }
  }

  /** The vCPU is about to execute an instruction: what waited for it is taken. */
  void takeEvent(int vcpu) {
    if (!events.isEmpty()) {
      events.remove(vcpu);
    }
  }

  /**
   * Raises a physical interrupt that a device model emulates by messages. Only one of a domain's is
   * known so, and nobody listens to it here.
   *
   * @throws Refusal ERANGE number 0; EINVAL there is no such; EBUSY another one is known
   */
  public void raiseEmulatedPirq(long pirq) {
    if (pirq == 0) {
      throw Refusal.of(Errno.ERANGE, "a message names physical interrupt 0");
    }
    if (pirq >= Host.INTERRUPTS) {
      throw Refusal.of(Errno.EINVAL, "%s has no physical interrupt %d", domain.id(), pirq);
    }
    if (emulatedPirq != 0 && emulatedPirq != pirq) {
      throw Refusal.of(
          Errno.EBUSY, "%s knows physical interrupt %d by messages", domain.id(), emulatedPirq);
    }
    emulatedPirq = pirq;
  }

  VcpuIo vcpu(int number) {
    while (vcpus.size() <= number) {
      vcpus.add(new VcpuIo());
    }
    return vcpus.get(number);
  }

  public IoCounters counters() {
    return counters;
  }

  /** The number of the next request. */
  long next() {
    return ++last;
  }

  /** What becomes of requests that are not answered. */
  public TimeoutPolicy timeout() {
    return timeout;
  }

  public void setTimeout(TimeoutPolicy policy) {
    timeout = policy;
  }

  /** Requests without an answer, oldest first. */
  public List<PendingIo> pending() {
    return pending.all();
  }

  /** Requests to a server without an answer, oldest first. */
  public List<PendingIo> pending(int server) {
    return pendingAfter(server, 0);
  }

  /** Requests to a server without an answer whose number is greater, oldest first. */
  public List<PendingIo> pendingAfter(int server, long number) {
    return pending.after(number).stream()
        .filter(request -> request.server().id() == server)
        .toList();
  }

  /** The number of the last request, of whichever server; 0 before the first. */
  public long lastNumber() {
    return last;
  }

  void add(PendingIo request) {
    vcpu(request.vcpu()).add(request);
    pending.add(request);
  }

  void remove(PendingIo request) {
    vcpu(request.vcpu()).remove(request);
    pending.remove(request);
  }

  /**
   * The request of a number.
   *
   * @throws Refusal ENOENT there is none without an answer
   */
  public PendingIo get(int server, long number) {
    Optional<PendingIo> found = pending.find(number);
    if (found.isEmpty() || found.get().server().id() != server) {
      throw Refusal.of(
          Errno.ENOENT,
          "no request %d waits for ioreq server %d of %s",
          number,
          server,
          domain.id());
    }
    return found.get();
  }

  /** Where a vCPU tries a write for ever, as the page's server is gone. */
  public Optional<Stuck> stuck(int vcpu) {
    return vcpu < vcpus.size() ? vcpus.get(vcpu).stuck() : Optional.empty();
  }

  /** The request that a vCPU waits for longest. */
  public Optional<PendingIo> oldest(int vcpu) {
    return vcpu < vcpus.size() ? vcpus.get(vcpu).pending().stream().findFirst() : Optional.empty();
  }

  RealTimeClock realTimeClock() {
    return realTimeClock;
  }

  /** The servers of the domain. */
  IoServers servers() {
    return servers;
  }

  EventChannels channels() {
    return channels;
  }

  Domain domain() {
    return domain;
  }

  /** Says what happened to a request that a server is to answer. */
  void tell(IoreqNotice kind, PendingIo about) {
    if (domain.notices().hears(kind)) {
      tell(
          kind,
          IoreqNotice.Request.of(
              domain.id(),
              about.vcpu(),
              Optional.of(about.server().id()),
              Optional.of(about.number()),
              about.request()));
    }
  }

  void tell(IoreqNotice kind, IoreqNotice.Request about) {
    domain.notices().tell(kind, about);
  }

  @Override
  public boolean relinquish() {
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("guest-io").put(last).put(timeout).put(emulatedPirq).put(realTimeClock);
    digest.put(events.size());
    events.forEach((vcpu, event) -> digest.put(vcpu).put(event));
    // Whether an idle vCPU has been looked at makes no difference to anybody.
    for (int vcpu = 0; vcpu < vcpus.size(); vcpu++) {
      if (!vcpus.get(vcpu).isIdle()) {
        digest.put(vcpu).put(vcpus.get(vcpu));
      }
    }
  }
}
