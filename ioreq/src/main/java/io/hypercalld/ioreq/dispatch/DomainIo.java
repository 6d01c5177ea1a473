package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.ioreq.server.IoServers;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** What the vCPUs of a domain wait for. Confined to the machine thread. */
public final class DomainIo implements DomainFacet {
  private final TreeMap<Integer, VcpuIo> vcpus = new TreeMap<>();
  private final IoCounters counters = new IoCounters();
  private final Domain domain;
  private TimeoutPolicy timeout = TimeoutPolicy.NONE;
  private long last;
  private Optional<LostWrite> lastLost = Optional.empty();

  DomainIo(Domain domain) {
    this.domain = domain;
  }

  /** A vCPU whose write no server takes. */
  public record StuckVcpu(int vcpu, Gfn gfn, long retries) {}

  /** A write that neither memory nor a server got. */
  public record LostWrite(int vcpu, Word gpa, int size) {}

  /** The last of the guest's writes that was lost. */
  public Optional<LostWrite> lastLost() {
    return lastLost;
  }

  void noteLost(int vcpu, long gpa, int size) {
    lastLost = Optional.of(new LostWrite(vcpu, new Word(gpa), size));
  }

  VcpuIo vcpu(int number) {
    return vcpus.computeIfAbsent(number, _ -> new VcpuIo());
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
    return vcpus.values().stream()
        .flatMap(vcpu -> vcpu.pending().stream())
        .sorted(Comparator.comparingLong(PendingIo::number))
        .toList();
  }

  /** Requests to a server without an answer, oldest first. */
  public List<PendingIo> pending(int server) {
    return pending().stream().filter(request -> request.server().id() == server).toList();
  }

  /**
   * The request of a number.
   *
   * @throws Refusal ENOENT there is none without an answer
   */
  public PendingIo get(int server, long number) {
    return pending(server).stream()
        .filter(request -> request.number() == number)
        .findFirst()
        .orElseThrow(
            () ->
                Refusal.of(
                    Errno.ENOENT,
                    "no request %d waits for ioreq server %d of %s",
                    number,
                    server,
                    domain.id()));
  }

  /** vCPUs that try a write for ever, as the page's server is gone. */
  public List<StuckVcpu> stuck() {
    List<StuckVcpu> found = new ArrayList<>();
    vcpus.forEach(
        (number, vcpu) ->
            vcpu.stuck().ifPresent(at -> found.add(new StuckVcpu(number, at.gfn(), at.retries()))));
    return found;
  }

  /** The request that a vCPU waits for longest. */
  Optional<PendingIo> oldest(int vcpu) {
    return vcpu(vcpu).pending().stream().min(Comparator.comparingLong(PendingIo::number));
  }

  /** The servers of the domain. */
  IoServers servers() {
    return domain.facet(IoServers.class);
  }

  Domain domain() {
    return domain;
  }

  @Override
  public boolean relinquish() {
    return true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("guest-io").put(last).put(timeout).put(vcpus.size());
    vcpus.forEach((number, vcpu) -> digest.put(number).put(vcpu));
  }
}
