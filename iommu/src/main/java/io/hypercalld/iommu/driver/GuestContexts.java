package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mChange;
import io.hypercalld.core.p2m.P2mEntry;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mObserver;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The address spaces that a domain makes for its devices beside its own memory, which is context 0
 * and nobody's to change. Confined to the machine thread.
 *
 * <p>A page of the domain's that leaves its guest frame leaves every context, too, and is forgotten
 * by units before whoever took it away goes on: no device reaches what its domain has no more.
 *
 * @see "spec/documents.md S1-D22, IOMMU contexts"
 */
public final class GuestContexts implements DomainFacet, P2mObserver {
  /** Contexts beside the first where nobody says otherwise: {@code dom0-iommu=nb-ctx}. */
  public static final int USUAL_COUNT = 8;

  /** The number of the context that the generation of 2016 has its only space in. */
  private static final int ONLY = 1;

  private final TreeMap<Integer, GuestContext> contexts = new TreeMap<>();
  private final Domain domain;
  private final VtdDriver driver;
  private final DomainTable domains;
  private IommuApi api = IommuApi.CONTEXTS;
  private int most = USUAL_COUNT;

  GuestContexts(Domain domain, VtdDriver driver, DomainTable domains) {
    this.domain = domain;
    this.driver = driver;
    this.domains = domains;
  }

  /** Which generation of the hypercall the domain has. */
  public IommuApi api() {
    return api;
  }

  /** How many contexts it may have beside the first. */
  public int most() {
    return most;
  }

  /**
   * Gives it another generation of the hypercall, or room for another number of contexts.
   *
   * @throws Refusal EINVAL not 0 to 4096 contexts; EBUSY it has made contexts already
   */
  public void choose(IommuApi wanted, int count) {
    if (count < 0 || count > 4096) {
      throw Refusal.of(Errno.EINVAL, "%d contexts are not between 0 and 4096", count);
    }
    if (!contexts.isEmpty() && (wanted != api || count != most)) {
      throw Refusal.of(Errno.EBUSY, "%s has %d contexts", domain.id(), contexts.size());
    }
    api = wanted;
    most = count;
  }

  /** Whether the domain drives devices for others. */
  public boolean isDriverDomain() {
    return domain.facet(DomainDma.class).isDriverDomain();
  }

  /** Whether the domain may map its devices' memory itself. */
  public boolean isAllowed() {
    return isDriverDomain() && domain.facet(DomainDma.class).mode() == DmaMode.VP_IOMMU;
  }

  /** The contexts that it has made, by number. */
  public Map<Integer, GuestContext> all() {
    return Map.copyOf(contexts);
  }

  /**
   * Makes an empty context of the lowest number that is free.
   *
   * @throws Refusal ENOSPC no number, or no pseudo domain id; ENOMEM
   */
  public int allocate() {
    int number = 1;
    while (contexts.containsKey(number)) {
      number++;
    }
    if (number > most) {
      throw Refusal.of(Errno.ENOSPC, "all %d contexts of %s are in use", most, domain.id());
    }
    contexts.put(number, newContext());
    return number;
  }

  private GuestContext newContext() {
    return new GuestContext(driver.ioContexts().create(domain.id()), driver.frames(), domains);
  }

  /**
   * The context of a number.
   *
   * @throws Refusal EINVAL the first, which is nobody's to change, or none
   */
  public GuestContext require(int number) {
    GuestContext found = contexts.get(number);
    if (found == null) {
      throw Refusal.of(Errno.EINVAL, "%s has no context %d", domain.id(), number);
    }
    return found;
  }

  /**
   * Gives a context back with all that is mapped in it.
   *
   * @param reattach whether devices go back to the first before
   * @throws Refusal EINVAL no such context; EBUSY devices go through it; EIO a unit does not obey
   */
  public void free(int number, boolean reattach) {
    GuestContext context = require(number);
    List<PciDevice> inside = devicesIn(context);
    if (!inside.isEmpty() && !reattach) {
      throw Refusal.of(Errno.EBUSY, "%s goes through context %d", inside.getFirst().sbdf(), number);
    }
    inside.forEach(device -> driver.ioContexts().point(device, Optional.empty()));
    destroy(context);
    contexts.remove(number);
  }

  private void destroy(GuestContext context) {
    context.flush();
    context.clear();
    driver.ioContexts().destroy(context.space());
  }

  private List<PciDevice> devicesIn(GuestContext context) {
    return driver.devices().ownedBy(domain.id()).stream()
        .filter(device -> device.ioContext.filter(context.space()::equals).isPresent())
        .toList();
  }

  /**
   * Points one of the domain's devices at a context.
   *
   * @param number 0 for the first
   * @throws Refusal EINVAL no such context; ENOENT the domain has no such device; EBUSY a virtual
   *     IOMMU decides where it points, or no domain-id is free; ENODEV no unit covers it; ENOMEM;
   *     EIO the unit does not obey
   */
  public void reattach(Sbdf sbdf, int number) {
    Optional<IoContext> to = number == 0 ? Optional.empty() : Optional.of(require(number).space());
    PciDevice device =
        driver
            .devices()
            .find(sbdf)
            .filter(known -> known.owner().equals(domain.id()))
            .orElseThrow(() -> Refusal.of(Errno.ENOENT, "%s has no %s", domain.id(), sbdf));
    device.requireUnit();
    if (device.ioContext.filter(other -> !isOwn(other)).isPresent()) {
      throw Refusal.of(Errno.EBUSY, "a virtual IOMMU translates for %s", sbdf);
    }
    if (!device.ioContext.equals(to)) {
      driver.ioContexts().point(device, to);
    }
  }

  private boolean isOwn(IoContext other) {
    return contexts.values().stream().anyMatch(context -> context.space() == other);
  }

  /**
   * The space of the generation of 2016, which every device of the domain goes through once it has
   * been made.
   */
  public Optional<GuestContext> only() {
    return Optional.ofNullable(contexts.get(ONLY));
  }

  /**
   * Maps a page in the space of the generation of 2016, which is made where there is none. Takes
   * effect with the context's flush.
   *
   * @throws Refusal EADDRINUSE something is mapped there; as {@link #allocate}, {@link #reattach}
   *     and {@link GuestContext#map}. Nothing changed
   */
  public void mapInOnly(Gfn dfn, DeviceMapping page, DmaPermission permission) {
    Transaction.run(
        steps -> {
          GuestContext context = only().orElseGet(() -> makeOnly(steps));
          context.requireFree(dfn);
          context.map(dfn, List.of(page), permission);
          return context;
        });
  }

  private GuestContext makeOnly(Transaction steps) {
    GuestContext context = newContext();
    contexts.put(ONLY, context);
    steps.onFailure(
        () -> {
          driver.ioContexts().destroy(context.space());
          contexts.remove(ONLY);
        });
    for (PciDevice device : List.copyOf(driver.devices().ownedBy(domain.id()))) {
      if (device.unit().isPresent()) {
        reattach(device.sbdf(), ONLY);
        steps.onFailure(() -> reattach(device.sbdf(), 0));
      }
    }
    return context;
  }

  /**
   * How far a run of pages came.
   *
   * @param end why it came no further
   */
  public record Progress(long pages, Optional<Refusal> end) {}

  /**
   * Maps pages of the domain's, or pages that it has mapped of others', for the devices in a
   * context, up to the first that is refused: EINVAL where no page in memory is at the guest frame,
   * EPERM where what is there may not be written, or read, as asked, EADDRINUSE where something is
   * mapped already, ENOMEM. Takes effect with the context's flush.
   */
  public Progress map(GuestContext context, PageRun run, DmaPermission permission) {
    return new RunMapping(domain, context, run, permission).carryOut();
  }

  /**
   * The page at a guest frame of a domain.
   *
   * @throws Refusal EINVAL, EPERM as {@link #map}
   */
  public static DeviceMapping page(Domain owner, Gfn gfn, DmaPermission permission) {
    P2mLookup found = owner.physicalMap().orElseThrow().obtain(gfn);
    DmaPermission allowed =
        found.mfn().isValid() ? P2mEntry.dma(found.entry()) : DmaPermission.NONE;
    if (allowed == DmaPermission.NONE || found.type() == P2mType.MMIO_DIRECT) {
      throw Refusal.of(Errno.EINVAL, "guest frame %s of %s is %s", gfn, owner.id(), found.type());
    }
    if (allowed.and(permission) != permission) {
      throw Refusal.of(Errno.EPERM, "guest frame %s of %s is %s", gfn, owner.id(), found.type());
    }
    return new DeviceMapping(owner.id(), gfn, found.mfn(), true, 0);
  }

  /** What was mapped from guest frames that map something else now is mapped no more. */
  @Override
  public void changed(P2mChange change) {
    for (GuestContext context : contexts.values()) {
      List<Gfn> stale = context.stale(domain.id(), change);
      if (!stale.isEmpty()) {
        stale.forEach(dfn -> context.unmap(dfn, 1));
        context.flush();
      }
    }
  }

  @Override
  public Stream<Mfn> referencedFrames() {
    return contexts.values().stream().flatMap(GuestContext::referencedFrames);
  }

  /** Takes back one device, then one context. */
  @Override
  public boolean relinquish() {
    if (contexts.isEmpty()) {
      return true;
    }
    if (!driver.assignment().releaseOne(domain.id())) {
      destroy(contexts.pollFirstEntry().getValue());
    }
    return false;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("guest-contexts").put(api.name()).put(most).put(contexts.size());
    contexts.forEach((number, context) -> digest.put(number).put(context));
  }
}
