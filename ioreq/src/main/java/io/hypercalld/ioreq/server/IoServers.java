package io.hypercalld.ioreq.server;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.event.EventChannels;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.ExtendedDestinations;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.ranges.NumberRange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The ioreq servers of a domain. Confined to the machine thread.
 *
 * @see "xen/common/ioreq.c"
 */
public final class IoServers implements DomainFacet {
  /** {@code MAX_NR_IOREQ_SERVERS}. */
  public static final int MOST = 8;

  private final TreeMap<Integer, IoServer> servers = new TreeMap<>();
  private final List<Optional<IoServer>> byId =
      new ArrayList<>(Collections.nCopies(MOST, Optional.empty()));
  private final List<RangeOwners> owners =
      Stream.of(RangeKind.values()).map(_ -> new RangeOwners()).toList();
  private final Domain domain;
  private final MachineMemory memory;
  private final PortLatch portLatch = new PortLatch();
  private final PageClaims claims;
  private final GuestFramePool pool;
  private List<IoServer> precedence = List.of();

  /** Those that take requests, a bit for each by its id. */
  private int enabled;

  private AnswerWatcher watcher = AnswerWatcher.NOBODY;

  public IoServers(Domain domain, MachineMemory memory) {
    this.domain = domain;
    this.memory = memory;
    this.pool = new GuestFramePool(domain);
    this.claims = new PageClaims(domain);
  }

  /** Tells somebody of answers from now on. */
  public void watch(AnswerWatcher newWatcher) {
    watcher = newWatcher;
  }

  /** The configuration address that the guest latched. */
  public PortLatch portLatch() {
    return portLatch;
  }

  /** Which servers have page types. */
  public PageClaims claims() {
    return claims;
  }

  @Override
  public void retyped(Gfn gfn, P2mType type) {
    claims.retyped(gfn, type);
  }

  /** The servers, by id. */
  public Collection<IoServer> all() {
    return Collections.unmodifiableCollection(servers.values());
  }

  /** The servers in the order in which they are asked. */
  public List<IoServer> byPrecedence() {
    return precedence;
  }

  public Optional<IoServer> find(long id) {
    return id < 0 || id >= MOST ? Optional.empty() : byId.get((int) id);
  }

  /** The first to be asked of those that are enabled and have all of a range within one range. */
  Optional<IoServer> answering(RangeKind kind, NumberRange range) {
    int able = enabled & owners.get(kind.number()).having(range);
    return able == 0
        ? Optional.empty()
        : byId.get(Integer.SIZE - 1 - Integer.numberOfLeadingZeros(able));
  }

  /**
   * The server of an id.
   *
   * @throws Refusal ENOENT
   */
  public IoServer get(long id) {
    return find(id)
        .orElseThrow(() -> Refusal.of(Errno.ENOENT, "%s has no ioreq server %d", domain.id(), id));
  }

  /**
   * The server of an id, if it is the emulator's.
   *
   * @throws Refusal ENOENT; EPERM another emulator's
   */
  public IoServer asEmulator(DomainId emulator, long id) {
    IoServer server = get(id);
    if (!server.emulator().equals(emulator)) {
      throw Refusal.of(Errno.EPERM, "ioreq server %d is %s's", id, server.emulator());
    }
    return server;
  }

  /**
   * A disabled server with the lowest free id.
   *
   * @throws Refusal ENOSPC all ids are taken, or no port is free; EINVAL dying, or it does not know
   *     the extended destinations that the guest was told of. Nothing changed
   */
  public IoServer create(DomainId emulator, IoServer.Traits traits) {
    BufferedMode mode = traits.mode();
    int id = 0;
    while (servers.containsKey(id)) {
      id++;
    }
    if (id == MOST) {
      throw Refusal.of(Errno.ENOSPC, "%s has %d ioreq servers", domain.id(), MOST);
    }
    int ports =
        domain.run().vcpus() == 0 ? 0 : domain.run().vcpus() + (mode == BufferedMode.OFF ? 0 : 1);
    if (ports > 0) {
      channels().requireFree(ports - 1);
    }
    destinations().join(traits.extendedDestinations());
    IoServer server =
        new IoServer(id, emulator, traits, new SharedPages(domain, memory, mode), owners);
    for (int vcpu = 0; vcpu < domain.run().vcpus(); vcpu++) {
      addVcpu(server, vcpu);
    }
    servers.put(id, server);
    reorder(id);
    tell(IoreqNotice.SERVER_CREATED, server);
    return server;
  }

  private void tell(IoreqNotice kind, IoServer server) {
    domain.notices().tell(kind, new IoreqNotice.Server(domain.id(), server.id()));
  }

  private void reorder(int changed) {
    byId.set(changed, Optional.ofNullable(servers.get(changed)));
    precedence = List.copyOf(servers.descendingMap().values());
  }

  private void addVcpu(IoServer server, int vcpu) {
    server.addPort(
        channels().allocateForXen(vcpu, server.emulator(), () -> watcher.notified(vcpu)));
    // The ring's own comes with the first vCPU, as its events are that vCPU's.
    if (vcpu == 0 && server.mode() != BufferedMode.OFF) {
      server.setRingPort(channels().allocateForXen(vcpu, server.emulator(), () -> {}));
    }
    if (server.isEnabled()) {
      server.tellPort(vcpu);
    }
  }

  /** Gives every server a port for each vCPU that is made. */
  @Override
  public void vcpusAdded(int count) {
    int from = domain.run().vcpus();
    if (servers.isEmpty() || from == count) {
      return;
    }
    int ports = 0;
    for (IoServer server : servers.values()) {
      ports += count - from + (from == 0 && server.mode() != BufferedMode.OFF ? 1 : 0);
    }
    channels().requireFree(ports - 1);
    for (int vcpu = from; vcpu < count; vcpu++) {
      for (IoServer server : servers.values()) {
        addVcpu(server, vcpu);
      }
    }
  }

  /** Has a server take requests, or not. */
  public void setEnabled(IoServer server, boolean wanted) {
    if (wanted == server.isEnabled()) {
      return;
    }
    if (wanted) {
      server.pages().all().forEach(SharedPage::hide);
      server.enable();
      enabled |= 1 << server.id();
      tell(IoreqNotice.SERVER_ENABLED, server);
    } else {
      server.disable();
      enabled &= ~(1 << server.id());
      server.pages().all().forEach(SharedPage::show);
    }
  }

  /** Takes a server away: its ranges, ports and pages, and what waits for it. */
  public void destroy(IoServer server) {
    claims.abandon(server);
    // Before anybody goes on, so that nobody is sent to it again.
    servers.remove(server.id());
    reorder(server.id());
    server.ranges().clear();
    watcher.leaving(server);
    setEnabled(server, false);
    destinations().leave(server.knowsExtendedDestinations());
    server.ports().forEach(channels()::free);
    server.ringPort().ifPresent(channels()::free);
    server.pages().all().forEach(SharedPage::release);
    tell(IoreqNotice.SERVER_DESTROYED, server);
  }

  /**
   * Borrows the guest frames of a server that it lacks.
   *
   * @throws Refusal EPERM acquired as resources; EINVAL dying, or no RAM to write at the guest
   *     frame; ENOMEM no guest frame is left; ENOENT paged out or shared. Nothing changed
   */
  public void borrowPages(IoServer server) {
    server.pages().all().forEach(SharedPage::requireNotMade);
    pool.lend(server.pages(), servers.values());
  }

  /**
   * A page of a server, made unless it is there.
   *
   * @throws Refusal ENOENT no ring; EINVAL no such page; EPERM borrowed from the guest; ENOMEM
   */
  public Mfn makePage(IoServer server, long number) {
    return server.pages().make(number);
  }

  /**
   * Refuses a page that {@link #makePage} would.
   *
   * @throws Refusal as there
   */
  public void requirePage(IoServer server, long number) {
    server.pages().requireMakeable(number);
  }

  /** Frames to which a reference is held that is not their allocation's. */
  @Override
  public Stream<Mfn> referencedFrames() {
    return servers.values().stream()
        .flatMap(server -> server.pages().all())
        .flatMap(page -> page.referenced().stream());
  }

  private ExtendedDestinations destinations() {
    return domain.facet(DomainInterrupts.class).destinations();
  }

  private EventChannels channels() {
    return domain.facet(EventChannels.class);
  }

  @Override
  public boolean relinquish() {
    if (!servers.isEmpty()) {
      destroy(servers.firstEntry().getValue());
    }
    return servers.isEmpty();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("ioreq-servers").put(portLatch).put(claims).put(servers.size());
    servers.values().forEach(digest::put);
  }
}
