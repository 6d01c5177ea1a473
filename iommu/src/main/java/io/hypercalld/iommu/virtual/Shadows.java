package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.P2mChange;
import io.hypercalld.core.p2m.P2mObserver;
import io.hypercalld.iommu.driver.DeviceWatcher;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.IoContext;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.RequesterSpace;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import io.hypercalld.iommu.unit.UnitObserver;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.Invalidation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Has a guest's physical devices go where its unit would send them. Confined to the machine thread.
 *
 * <p>Each table that the guest uses has one shadow, with a domain-id of its own; each device goes
 * through one of them, through an empty one where the guest blocks it, or through the domain's own
 * table. A shadow is built before a device is switched to it, by one swap of the device's context
 * entry; where that is refused the device goes on as before.
 *
 * @see "spec/documents.md S1-D17, S1-D18"
 */
final class Shadows implements UnitObserver, P2mObserver, DeviceWatcher, Digestible {
  private static final int SHIFT = PageSize.SHIFT_4K;

  private final Domain domain;
  private final VtdDriver driver;
  private final ShadowSync sync;
  private final GuestTables reader;
  private final RemappingUnit unit;
  private final ShadowCounters counters;

  /** By the guest's table; under nothing the space of devices that the guest blocks. */
  private final Map<Optional<Translated>, ShadowSpace> spaces = new LinkedHashMap<>();

  private final TreeMap<Sbdf, Place> places = new TreeMap<>();
  private final List<Invalidation.OfCaches> waiting = new ArrayList<>();
  private boolean translating;

  /** Where a device goes. */
  record Place(DeviceMode mode, Optional<ShadowSpace> space) {
    private static final Place DEFAULT = new Place(DeviceMode.DEFAULT, Optional.empty());
  }

  Shadows(Domain domain, VtdDriver driver, VirtualUnit guest) {
    this.domain = domain;
    this.counters = new ShadowCounters(domain);
    this.driver = driver;
    this.sync = guest.settings().sync();
    this.unit = guest.silicon();
    this.reader = new GuestTables(guest.memory(), unit.settings());
    domain.p2m().announcements().observe(this);
    domain.facet(DomainIommu.class).watchDevices(this);
  }

  /** Sends every device through the domain's own table again, and gives back the shadows. */
  void end() {
    translating = false;
    driver.devices().ownedBy(domain.id()).forEach(device -> look(device, SyncTrigger.ENABLE));
    domain.p2m().announcements().forget(this);
    domain.facet(DomainIommu.class).watchDevices(DeviceWatcher.NONE);
    if (!spaces.isEmpty() && !domain.isDying()) {
      domain.crash("a device could not be taken off the shadow of a guest's table");
    }
  }

  ShadowCounters counters() {
    return counters;
  }

  Collection<ShadowSpace> all() {
    return Collections.unmodifiableCollection(spaces.values());
  }

  /** How a device's requests are translated. */
  Place placeOf(PciDevice device) {
    return places.getOrDefault(device.sbdf(), Place.DEFAULT);
  }

  @Override
  public void commanded() {
    if (unit.isEnabled() != translating) {
      translating = unit.isEnabled();
      lookAtAll(SyncTrigger.ENABLE);
    }
  }

  @Override
  public void invalidated(Invalidation.OfCaches command) {
    if (translating) {
      waiting.add(command);
      if (sync == ShadowSync.STRICT) {
        settled();
      }
    }
  }

  @Override
  public void settled() {
    if (waiting.isEmpty()) {
      return;
    }
    List<Invalidation.OfCaches> commands = List.copyOf(waiting);
    waiting.clear();
    StaleRanges stale = new StaleRanges();
    for (Invalidation.OfCaches command : commands) {
      switch (command) {
        case Invalidation.OfContexts contexts -> lookAtDevices(contexts);
        case Invalidation.OfTranslations translations -> stale.add(translations, spaces.values());
        case Invalidation.OfInterrupts _,
            Invalidation.OfPasids _,
            Invalidation.OfPasidTranslations _ -> {}
      }
    }
    stale.forEach((space, range) -> sync(space, range, SyncTrigger.TRANSLATIONS));
  }

  /** Reads a part of a guest's table again, and has what it says take effect. */
  void sync(ShadowSpace space, StaleRanges.Range range, SyncTrigger trigger) {
    counters.count(trigger, space.read(range.from(), range.to()));
    space.flush();
  }

  private void lookAtAll(SyncTrigger trigger) {
    driver.devices().ownedBy(domain.id()).forEach(device -> look(device, trigger));
  }

  private void lookAtDevices(Invalidation.OfContexts command) {
    for (PciDevice device : driver.devices().ownedBy(domain.id())) {
      if (concerns(command, device)) {
        look(device, SyncTrigger.CONTEXT);
      }
    }
  }

  /** What the guest blocks no unit need remember, so every command makes it be looked at again. */
  private boolean concerns(Invalidation.OfContexts command, PciDevice device) {
    Optional<ShadowSpace> space = placeOf(device).space();
    boolean blocked = space.filter(one -> one.source().isEmpty()).isPresent();
    return blocked
        || switch (command) {
          case Invalidation.AllContexts _ -> true;
          case Invalidation.DomainContexts(int domainId) ->
              placeOf(device).mode() == DeviceMode.PASSTHROUGH
                  || space.filter(one -> one.hasDomainId(domainId)).isPresent();
          case Invalidation.DeviceContexts(int _, SourceId requester, int mask) ->
              seenAs(device).filter(seen -> matches(seen, requester, mask)).isPresent();
        };
  }

  private static boolean matches(SourceId seen, SourceId named, int mask) {
    int ignored = (0x8 - (0x8 >> mask)) & 0x7;
    return ((seen.value() ^ named.value()) & ~ignored) == 0;
  }

  static Optional<SourceId> seenAs(PciDevice device) {
    return device.guestAddress().map(Sbdf::sourceId);
  }

  /** Has a device go where the guest's tables send it now. */
  void look(PciDevice device, SyncTrigger trigger) {
    Place before = placeOf(device);
    try {
      Place now = place(device, trigger);
      if (!now.equals(before)) {
        driver.ioContexts().point(device, now.space().map(ShadowSpace::context));
        places.put(device.sbdf(), now);
      }
    } catch (Refusal refusal) {
      counters.refused(device.sbdf() + ": " + refusal.reason());
    }
    dropUnused();
  }

  private Place place(PciDevice device, SyncTrigger trigger) {
    if (!translating) {
      return Place.DEFAULT;
    }
    RequesterSpace wanted =
        seenAs(device)
            .map(unit::spaceOf)
            .orElseGet(() -> new RequesterSpace.Blocked(FaultReason.CONTEXT_NOT_PRESENT));
    return switch (wanted) {
      case RequesterSpace.Passing _ -> new Place(DeviceMode.PASSTHROUGH, Optional.empty());
      case RequesterSpace.Blocked _ -> shadowed(Optional.empty(), trigger);
      case Translated space -> shadowed(Optional.of(space), trigger);
    };
  }

  private Place shadowed(Optional<Translated> source, SyncTrigger trigger) {
    ShadowSpace space = spaces.get(source);
    if (space == null) {
      IoContext context = driver.ioContexts().create(domain.id());
      space = new ShadowSpace(source, context, domain.p2m(), reader);
      spaces.put(source, space);
      sync(space, StaleRanges.Range.ALL, trigger);
    }
    return new Place(DeviceMode.SHADOW, Optional.of(space));
  }

  private void dropUnused() {
    spaces
        .values()
        .removeIf(
            space -> {
              boolean used =
                  places.values().stream()
                      .anyMatch(place -> place.space().filter(space::equals).isPresent());
              if (!used) {
                driver.ioContexts().destroy(space.context());
              }
              return !used;
            });
  }

  @Override
  public void changed(P2mChange change) {
    long gfn = change.gfn().value();
    for (ShadowSpace space : spaces.values()) {
      if (space.isReadFrom(gfn, change.frames())) {
        counters.count(SyncTrigger.TABLE, space.read(0, ShadowSpace.END));
      }
      if (space.follow(gfn, change.frames())) {
        counters.count(SyncTrigger.P2M, 0);
      }
      space.flush();
    }
  }

  @Override
  public void arrived(PciDevice device) {
    look(device, SyncTrigger.DEVICE);
  }

  @Override
  public void left(PciDevice device) {
    places.remove(device.sbdf());
    dropUnused();
  }

  /** Where a shadow is not what it should be. */
  List<String> violations() {
    return spaces.values().stream().flatMap(space -> space.violation().stream()).toList();
  }

  /** The frame of an address. */
  static long frame(long iova) {
    return iova >>> SHIFT;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("shadows").put(translating).put(waiting.toString()).put(counters);
    digest.put(spaces.size());
    spaces.values().forEach(digest::put);
    places.forEach(
        (device, place) ->
            digest
                .put(device.toString())
                .put(place.mode().name())
                .put(place.space().map(space -> space.context().tag().value()).orElse(-1)));
  }
}
