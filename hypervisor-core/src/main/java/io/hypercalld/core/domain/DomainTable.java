package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.notice.Notices;
import io.hypercalld.core.p2m.P2mCounters;
import io.hypercalld.core.transaction.Transaction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * All domains, the dead that somebody still refers to included. Confined to the machine thread.
 *
 * @see "xen/common/domain.c"
 */
public final class DomainTable implements Digestible {
  private final TreeMap<DomainId, Domain> domains = new TreeMap<>();

  /** The same by number, as far as there are any: who calls is looked up again and again. */
  private @Nullable Domain[] byNumber = new @Nullable Domain[0];

  private final List<Function<Domain, Optional<DomainFacet>>> facets = new ArrayList<>();
  private final P2mCounters departed = new P2mCounters();
  private final FrameAllocator allocator;
  private final SharedFrames sharedFrames;
  private final VcpuLimit vcpuLimit = new VcpuLimit();
  private final Host host;
  private final Notices notices;
  private int lastChosen;
  private long created;
  private long destroyed;

  /** No domains yet; {@code notices} is told what happens to them. */
  public DomainTable(FrameAllocator allocator, Host host, Notices notices) {
    this.allocator = allocator;
    this.sharedFrames = new SharedFrames(allocator);
    this.host = host;
    this.notices = notices;
  }

  /** Where is said what happens to domains. */
  public Notices notices() {
    return notices;
  }

  /** Frames that several domains map. */
  public SharedFrames sharedFrames() {
    return sharedFrames;
  }

  public Host host() {
    return host;
  }

  /** How many vCPUs domains may have. */
  public VcpuLimit vcpuLimit() {
    return vcpuLimit;
  }

  public Optional<Domain> find(DomainId id) {
    return Optional.ofNullable(id.value() < byNumber.length ? byNumber[id.value()] : null);
  }

  /** Every domain that still has its struct, dead ones included, by id. */
  public List<Domain> all() {
    return List.copyOf(domains.values());
  }

  /**
   * The domain on whose behalf a hypercall is made.
   *
   * @throws Refusal ESRCH
   */
  public Domain caller(DomainId id) {
    return find(id).orElseThrow(() -> Refusal.of(Errno.ESRCH, "there is no caller %s", id));
  }

  /**
   * ANY: {@link DomainId#SELF} is the caller.
   *
   * @throws Refusal ESRCH
   */
  public Domain any(Domain caller, DomainId id) {
    return id.equals(DomainId.SELF) ? caller : byId(id);
  }

  /**
   * BYID: no {@link DomainId#SELF}.
   *
   * @throws Refusal ESRCH
   */
  public Domain byId(DomainId id) {
    return find(id).orElseThrow(() -> Refusal.of(Errno.ESRCH, "there is no domain %s", id));
  }

  /**
   * As domctl looks up: BYID, but only control domains learn who exists.
   *
   * @throws Refusal ESRCH; EPERM to a caller that is no control domain
   */
  public Domain forDomctl(Domain caller, DomainId id) {
    Optional<Domain> found = find(id);
    if (found.isEmpty() && !caller.isControlDomain()) {
      throw Refusal.of(Errno.EPERM, "%s is no control domain", caller.id());
    }
    return byId(id);
  }

  /**
   * REMOTE: another domain than the caller.
   *
   * @throws Refusal ESRCH; EPERM for the caller's own id
   */
  public Domain remote(Domain caller, DomainId id) {
    Domain found = byId(id);
    if (found == caller) {
      throw Refusal.of(Errno.EPERM, "%s may not do this to itself", id);
    }
    return found;
  }

  /**
   * LIVE_REMOTE: another domain that is not dying.
   *
   * @throws Refusal ESRCH; EPERM for the caller's own id; EINVAL dying
   */
  public Domain liveRemote(Domain caller, DomainId id) {
    Domain found = remote(caller, id);
    if (found.isDying()) {
      throw Refusal.of(Errno.EINVAL, "%s is dying", id);
    }
    return found;
  }

  /** Has every domain created from now on given a facet, unless the factory declines. */
  public void addFacet(Function<Domain, Optional<DomainFacet>> factory) {
    facets.add(factory);
  }

  /**
   * The id that {@link #create} would give.
   *
   * @param wanted a free ordinary one, not 0; or {@link DomainId#ANY}
   * @throws Refusal EEXIST for one that is taken or reserved, or where none is free
   */
  public DomainId choose(DomainId wanted) {
    if (!wanted.equals(DomainId.ANY)) {
      if (!wanted.isOrdinary() || domains.containsKey(wanted)) {
        throw Refusal.of(Errno.EEXIST, "domain id %d is taken or reserved", wanted.value());
      }
      return wanted;
    }
    int ids = DomainId.SELF.value();
    for (int tried = 1; tried < ids; tried++) {
      DomainId id = new DomainId(1 + (lastChosen + tried - 1) % (ids - 1));
      if (!domains.containsKey(id)) {
        return id;
      }
    }
    throw Refusal.of(Errno.EEXIST, "all domain ids are taken");
  }

  /**
   * Makes a domain, paused once, without memory or vCPUs.
   *
   * @param wanted as for {@link #choose}
   * @throws Refusal EEXIST; ENOMEM; as a facet's factory
   */
  public Domain create(DomainId wanted, DomainSettings settings) {
    DomainId id = choose(wanted);
    Domain domain = Transaction.run(steps -> build(id, settings, steps));
    domain.tell(DomainNotice.CREATED);
    domain.run().pause();
    domains.put(id, domain);
    byNumber = Arrays.copyOf(byNumber, Math.max(byNumber.length, id.value() + 1));
    byNumber[id.value()] = domain;
    created++;
    domain.notes().identify(created);
    if (wanted.equals(DomainId.ANY)) {
      lastChosen = id.value();
    }
    return domain;
  }

  private Domain build(DomainId id, DomainSettings settings, Transaction steps) {
    Domain domain = new Domain(id, settings, allocator, this, steps);
    for (Function<Domain, Optional<DomainFacet>> factory : facets) {
      factory
          .apply(domain)
          .ifPresent(
              facet -> {
                domain.facets().attach(facet);
                steps.onFailure(() -> relinquishAll(facet));
              });
    }
    return domain;
  }

  private static void relinquishAll(DomainFacet facet) {
    boolean finished;
    do {
      finished = facet.relinquish();
    } while (!finished);
  }

  /** Lets dom0 run: all its vCPUs, at once. */
  public void start(Domain domain) {
    domain.run().startAll();
    domain.run().unpause();
  }

  /** From here on the domain gets nothing any more; no effect where it is dying already. */
  public void beginDestruction(Domain domain) {
    domain.beginDying();
  }

  /**
   * One step of bounded length of taking back what a dying domain holds.
   *
   * @return whether it is dead now
   */
  public boolean continueDestruction(Domain domain) {
    if (!domain.relinquish()) {
      return false;
    }
    forgetIfGone(domain);
    return true;
  }

  /** Drops a dead domain that nobody refers to any more, and whom it referred to likewise. */
  public void forgetIfGone(Domain domain) {
    if (domain.isGone() && domains.remove(domain.id(), domain)) {
      byNumber[domain.id().value()] = null;
      domain.findP2m().ifPresent(p2m -> departed.add(p2m.counters()));
      destroyed++;
      domain.tell(DomainNotice.DESTROYED);
      domain.dissolve().ifPresent(this::forgetIfGone);
    }
  }

  /**
   * Gives back a reference to a frame, whosever it is. The frame goes with the last one, and with
   * its last frame a dead owner.
   */
  public void putReference(Mfn frame) {
    if (allocator.frames().putReference(frame.value()) > 0) {
      return;
    }
    DomainId owner = new DomainId(allocator.frames().owner(frame.value()));
    if (owner.equals(DomainId.COW)) {
      allocator.free(frame.value());
      return;
    }
    Domain domain = byId(owner);
    domain.memory().freed(frame);
    forgetIfGone(domain);
  }

  /** Domains made since the start, dom0 included. */
  public long created() {
    return created;
  }

  /** Domains gone since the start. */
  public long destroyed() {
    return destroyed;
  }

  /** P2M counts of the domains that are gone. */
  public P2mCounters departed() {
    return departed;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("domains").put(vcpuLimit).put(lastChosen).put(domains.size());
    domains.values().forEach(digest::put);
    digest.put(sharedFrames);
  }
}
