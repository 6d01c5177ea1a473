package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.P2mChange;
import io.hypercalld.core.p2m.P2mObserver;
import io.hypercalld.iommu.driver.DeviceWatcher;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.RequesterSpace;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import io.hypercalld.iommu.unit.UnitObserver;
import io.hypercalld.iommu.vtd.Invalidation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Has a guest's physical devices go where its unit would send them. Confined to the machine thread.
 *
 * <p>Each second-level table that the guest uses has one shadow, with a domain-id of its own; each
 * device goes through one of them, through an empty one where the guest blocks it, or through the
 * domain's own table. In scalable mode so does each of its PASIDs, where first-level tables stay
 * the guest's and have one of these below. A shadow is built before a device is switched to it, by
 * one swap of the device's context entry; where that is refused the device goes on as before.
 *
 * @see "spec/documents.md S1-D17, S1-D18"
 */
final class Shadows implements UnitObserver, P2mObserver, DeviceWatcher, Digestible {
  private static final int SHIFT = PageSize.SHIFT_4K;

  private final Domain domain;
  private final VtdDriver driver;
  private final ShadowSync sync;
  private final boolean nests;
  private final RemappingUnit unit;
  private final ShadowCounters counters;
  private final SyncWatcher watcher;

  private final ShadowSpaces spaces;
  private final TreeMap<Sbdf, Place> places = new TreeMap<>();

  /** What the guest's tables said of each device when it was last looked at. */
  private final TreeMap<Sbdf, Directions> heard = new TreeMap<>();

  private final List<Invalidation> waiting = new ArrayList<>();
  private Mode mode = Mode.OFF;

  /** How the guest's unit translates. */
  private enum Mode {
    OFF,
    LEGACY,
    SCALABLE
  }

  Shadows(Domain domain, VirtualIommus host, VirtualUnit guest) {
    this.domain = domain;
    this.counters = new ShadowCounters(domain);
    this.driver = host.driver();
    this.watcher = host.syncs();
    this.sync = guest.settings().sync();
    this.unit = guest.silicon();
    this.spaces =
        new ShadowSpaces(domain, driver, new GuestTables(domain, guest.memory(), unit.settings()));
    this.nests = guest.settings().l1();
    domain.p2m().announcements().observe(this);
    domain.facet(DomainIommu.class).watchDevices(this);
  }

  /** Sends every device through the domain's own table again, and gives back the shadows. */
  void end() {
    mode = Mode.OFF;
    driver.devices().ownedBy(domain.id()).forEach(device -> look(device, SyncTrigger.ENABLE));
    domain.p2m().announcements().forget(this);
    domain.facet(DomainIommu.class).watchDevices(DeviceWatcher.NONE);
    boolean left = !spaces.shadows().isEmpty() || !spaces.nestings().isEmpty();
    if (left && !domain.isDying()) {
      domain.crash("a device could not be taken off the shadow of a guest's table");
    }
  }

  ShadowCounters counters() {
    return counters;
  }

  Collection<ShadowSpace> all() {
    return spaces.shadows();
  }

  /** What the guest's tables said of a device when it was last looked at. */
  Directions heardOf(PciDevice device) {
    return heard.getOrDefault(device.sbdf(), Directions.NONE);
  }

  /** Whether the guest's tables say of a device's PASID what they said when it was looked at. */
  boolean saysTheSame(PciDevice device, int pasid) {
    return directions(device).agree(heardOf(device), pasid);
  }

  private Directions directions(PciDevice device) {
    return switch (mode) {
      case OFF -> Directions.NONE;
      case LEGACY -> Directions.legacy(unit, seenAs(device));
      case SCALABLE -> Directions.scalable(unit, seenAs(device));
    };
  }

  /** Whether the guest's tables are what devices go by. */
  boolean areInUse() {
    return mode != Mode.OFF;
  }

  /** Where the guest's tables send requests as they are now. */
  GuestWalks walks() {
    return new GuestWalks(domain, unit, this);
  }

  /** Whether the domain's own table is the P2M itself. */
  boolean sharesP2m() {
    return domain.facet(DomainIommu.class).sharesP2m();
  }

  /** How a device's requests are translated. */
  Place placeOf(PciDevice device) {
    return places.getOrDefault(device.sbdf(), Place.DEFAULT);
  }

  @Override
  public void commanded() {
    Mode now = mode();
    if (now != mode) {
      mode = now;
      lookAtAll(SyncTrigger.ENABLE);
    }
  }

  private Mode mode() {
    if (!unit.isEnabled()) {
      return Mode.OFF;
    }
    return unit.isScalable() ? Mode.SCALABLE : Mode.LEGACY;
  }

  @Override
  public void invalidated(Invalidation.OfCaches command) {
    heed(command);
  }

  @Override
  public void deviceInvalidated(Invalidation.DeviceTranslations command) {
    heed(command);
  }

  private void heed(Invalidation command) {
    if (areInUse()) {
      waiting.add(command);
      if (sync == ShadowSync.STRICT) {
        settled();
      }
    }
  }

  /** Entries first, then translations from the second level up, then what devices remember. */
  @Override
  public void settled() {
    if (waiting.isEmpty()) {
      return;
    }
    List<Invalidation> commands = List.copyOf(waiting);
    waiting.clear();
    StaleRanges stale = new StaleRanges();
    for (Invalidation command : commands) {
      if (command instanceof Invalidation.OfContexts contexts) {
        lookAtDevices(contexts);
      } else if (command instanceof Invalidation.OfPasids && mode == Mode.SCALABLE) {
        lookAtAll(SyncTrigger.PASIDS);
      } else if (command instanceof Invalidation.OfTranslations translations) {
        stale.add(translations, spaces.shadows());
      }
    }
    stale.forEach((space, range) -> sync(space, range, SyncTrigger.TRANSLATIONS));
    commands.forEach(new FirstLevelCommands(domain, driver, spaces, counters)::passOn);
  }

  /** Reads a part of a guest's table again, and has what it says take effect. */
  void sync(ShadowSpace space, StaleRanges.Range range, SyncTrigger trigger) {
    watcher.begins();
    counters.count(trigger, space.read(range.from(), range.to()));
    space.flush();
    watcher.ends(trigger);
  }

  private void lookAtAll(SyncTrigger trigger) {
    driver.devices().ownedBy(domain.id()).forEach(device -> look(device, trigger));
  }

  private void lookAtDevices(Invalidation.OfContexts command) {
    for (PciDevice device : driver.devices().ownedBy(domain.id())) {
      if (placeOf(device).isNamedBy(command, seenAs(device))) {
        look(device, SyncTrigger.CONTEXT);
      }
    }
  }

  static Optional<SourceId> seenAs(PciDevice device) {
    return device.guestAddress().map(Sbdf::sourceId);
  }

  /** Has a device go where the guest's tables send it now. */
  void look(PciDevice device, SyncTrigger trigger) {
    Place before = placeOf(device);
    Directions said = directions(device);
    heard.put(device.sbdf(), said);
    try {
      Place now = place(said, trigger);
      if (!now.equals(before)) {
        point(device, now);
        places.put(device.sbdf(), now);
      }
    } catch (Refusal refusal) {
      counters.refused(device.sbdf() + ": " + refusal.reason());
    }
    dropUnused();
  }

  private void point(PciDevice device, Place to) {
    to.view()
        .ifPresentOrElse(
            view -> driver.ioContexts().point(device, view),
            () -> driver.ioContexts().point(device, to.space().map(ShadowSpace::context)));
  }

  private Place place(Directions said, SyncTrigger trigger) {
    return switch (mode) {
      case OFF -> Place.DEFAULT;
      case LEGACY -> legacyPlace(said.plain(), trigger);
      case SCALABLE ->
          new PasidFollower(unit.settings(), spaces, table -> shadow(Optional.of(table), trigger))
              .place(said.pasids());
    };
  }

  private Place legacyPlace(RequesterSpace said, SyncTrigger trigger) {
    return switch (said) {
      case RequesterSpace.Passing _ -> Place.PASSTHROUGH;
      case RequesterSpace.Blocked _ -> Place.shadowed(shadow(Optional.empty(), trigger));
      case Translated space -> Place.shadowed(shadow(Optional.of(space), trigger));
    };
  }

  private ShadowSpace shadow(Optional<Translated> source, SyncTrigger trigger) {
    Optional<ShadowSpace> present = spaces.find(source);
    if (present.isPresent()) {
      return present.get();
    }
    ShadowSpace space = spaces.create(source);
    sync(space, StaleRanges.Range.ALL, trigger);
    space.requireWhole();
    return space;
  }

  private void dropUnused() {
    spaces.keepOnly(places.values());
  }

  @Override
  public void changed(P2mChange change) {
    long gfn = change.gfn().value();
    for (ShadowSpace space : spaces.shadows()) {
      if (space.isReadFrom(gfn, change.frames())) {
        sync(space, StaleRanges.Range.ALL, SyncTrigger.TABLE);
      }
      watcher.begins();
      if (space.follow(gfn, change.frames())) {
        counters.count(SyncTrigger.P2M, 0);
        space.flush();
        watcher.ends(SyncTrigger.P2M);
      }
    }
  }

  @Override
  public void requireWelcome(PciDevice device) {
    if (nests) {
      requireNesting(device);
    }
  }

  /**
   * Refuses a device whose requests the machine could not have a guest's first-level tables
   * translate.
   *
   * @throws Refusal EOPNOTSUPP its unit does not nest
   */
  static void requireNesting(PciDevice device) {
    if (device.unit().filter(UnitDriver::nests).isEmpty()) {
      throw Refusal.of(
          Errno.EOPNOTSUPP,
          "the virtual IOMMU nests, but %s cannot: ECAP.SMTS, NEST or SLTS of %s is clear",
          device.sbdf(),
          device.unit().map(unit -> "iommu " + unit.index()).orElse("no unit"));
    }
  }

  @Override
  public void arrived(PciDevice device) {
    look(device, SyncTrigger.DEVICE);
  }

  @Override
  public void left(PciDevice device) {
    places.remove(device.sbdf());
    heard.remove(device.sbdf());
    dropUnused();
  }

  /** Where a shadow is not what it should be. */
  List<String> violations() {
    return spaces.violations();
  }

  /** The frame of an address. */
  static long frame(long iova) {
    return iova >>> SHIFT;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("shadows").put(mode.name()).put(waiting.toString()).put(counters);
    digest.put(spaces);
    places.forEach(
        (device, place) -> {
          digest.put(device.toString()).put(place.mode().name());
          digest.put(place.space().map(space -> space.context().tag().value()).orElse(-1));
        });
    heard.forEach((device, said) -> digest.put(device.toString()).put(said.toString()));
  }
}
