package io.hypercalld.iommu.pci;

import static io.hypercalld.core.errno.Errno.EBUSY;
import static io.hypercalld.core.errno.Errno.EEXIST;
import static io.hypercalld.core.errno.Errno.ENODEV;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.pci.PciFunction.Feature;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.TreeMap;

/**
 * The PCI functions that exist and how they hang together. Confined to the machine thread.
 *
 * <p>Everything that is asked about buses is answered from the functions present now, so that it
 * follows hot-plug. Virtual functions exist as functions of their own, whoever enabled them.
 */
public final class PciTopology implements Digestible {
  private static final int FUNCTIONS_PER_DEVICE = 8;

  private final TreeMap<Sbdf, PciFunction> functions = new TreeMap<>();
  private final AliasingBridges aliasingBridges = new AliasingBridges();

  /** A machine with these functions, and with the virtual functions that they have enabled. */
  public PciTopology(Collection<PciFunction> present) {
    present.stream().filter(function -> !function.isVirtual()).forEach(this::add);
    present.stream().filter(PciFunction::isVirtual).forEach(this::add);
    List.copyOf(functions.values()).forEach(this::addMissingVirtualFunctions);
  }

  private void addMissingVirtualFunctions(PciFunction physical) {
    VirtualFunctions.enabledBy(physical).stream()
        .filter(virtual -> !functions.containsKey(virtual.sbdf()))
        .forEach(this::add);
  }

  /**
   * Adds a function.
   *
   * @throws Refusal EEXIST where the address is taken; ENODEV where it is a virtual function whose
   *     physical function is not there
   */
  public void add(PciFunction function) {
    Sbdf sbdf = function.sbdf();
    if (functions.containsKey(sbdf)) {
      throw Refusal.of(EEXIST, "%s exists already", sbdf);
    }
    function
        .physicalFunction()
        .filter(physical -> !functions.containsKey(physical))
        .ifPresent(
            physical -> {
              throw Refusal.of(
                  ENODEV, "%s is a virtual function of %s, which does not exist", sbdf, physical);
            });
    functions.put(sbdf, function);
    followBridges(function);
  }

  /**
   * Adds a function while others work: a bridge with buses that are nobody's yet.
   *
   * @throws Refusal as {@link #add} and {@link #renumber}
   */
  public void plug(PciFunction function) {
    function
        .buses()
        .ifPresent(buses -> new BusNumbering(functions.values(), function).require(buses));
    add(function);
  }

  /** The functions on the buses behind a bridge. */
  public List<PciFunction> behind(Sbdf bridge) {
    return new BusNumbering(functions.values(), require(bridge)).behind();
  }

  /**
   * Gives the buses behind a bridge other numbers: the functions there have other addresses, and
   * other requester ids, from now on.
   *
   * @throws Refusal ENODEV it does not exist; EINVAL it is no bridge, the first bus is not above
   *     its own, there are too few, or a bridge above does not pass them on; EBUSY others have some
   *     of them
   */
  public void renumber(Sbdf sbdf, BusRange buses) {
    PciFunction bridge = require(sbdf);
    BusNumbering numbering = new BusNumbering(functions.values(), bridge);
    numbering.require(buses);
    List<PciFunction> before = numbering.behind();
    List<PciFunction> after = numbering.moved(buses);
    before.forEach(function -> functions.remove(function.sbdf()));
    functions.put(sbdf, bridge.withBuses(buses));
    after.forEach(function -> functions.put(function.sbdf(), function));
    aliasingBridges.rebuild(functions.values());
  }

  /**
   * Removes a function.
   *
   * @return what was there
   * @throws Refusal ENODEV where it does not exist; EBUSY where it has virtual functions
   */
  public PciFunction remove(Sbdf sbdf) {
    PciFunction function = require(sbdf);
    if (!virtualFunctions(sbdf).isEmpty()) {
      throw Refusal.of(
          EBUSY, "%s still has %d virtual functions", sbdf, virtualFunctions(sbdf).size());
    }
    functions.remove(sbdf);
    followBridges(function);
    return function;
  }

  /**
   * Sets or clears the bus-master bit of a function's command register.
   *
   * @throws Refusal ENODEV where it does not exist
   */
  public void setBusMaster(Sbdf sbdf, boolean enabled) {
    functions.put(sbdf, require(sbdf).with(Feature.BUS_MASTER, enabled));
  }

  private void followBridges(PciFunction changed) {
    if (changed.kind().isAliasing()) {
      aliasingBridges.rebuild(functions.values());
    }
  }

  public Optional<PciFunction> find(Sbdf sbdf) {
    return Optional.ofNullable(functions.get(sbdf));
  }

  /**
   * The function at an address.
   *
   * @throws Refusal ENODEV where there is none
   */
  public PciFunction require(Sbdf sbdf) {
    return find(sbdf).orElseThrow(() -> Refusal.of(ENODEV, "%s does not exist", sbdf));
  }

  /** Every function in order of address; an unmodifiable view. */
  public Collection<PciFunction> all() {
    return Collections.unmodifiableCollection(functions.values());
  }

  /** The virtual functions of a physical function, in order of address. */
  public List<PciFunction> virtualFunctions(Sbdf physical) {
    // A virtual function's address is above its physical function's.
    return functions.tailMap(physical, false).values().stream()
        .filter(function -> function.physicalFunction().filter(physical::equals).isPresent())
        .toList();
  }

  /**
   * The bridge at the top of the conventional buses above a function: the one whose requester id
   * its DMA may carry. Empty for a function that no bridge hides.
   *
   * @see "xen/drivers/passthrough/pci.c, find_upstream_bridge"
   */
  public Optional<PciFunction> upstreamBridge(Sbdf sbdf) {
    return topmostAlias(sbdf).map(AliasingBridges.Alias::bridge);
  }

  private Optional<AliasingBridges.Alias> topmostAlias(Sbdf sbdf) {
    // A virtual function hangs where its physical function does, whatever bus number its id has.
    return aliasingBridges.topmostAbove(
        find(sbdf).flatMap(PciFunction::physicalFunction).orElse(sbdf));
  }

  /**
   * The requester ids under which DMA of a function can arrive, its own first: then those of its
   * phantom functions; for conventional PCI also its topmost bridge's, and where that bridge is
   * PCIe-to-PCI the first one of the bus below it.
   *
   * @throws Refusal ENODEV where the function does not exist
   */
  public List<SourceId> requesterIds(Sbdf sbdf) {
    PciFunction function = require(sbdf);
    SequencedSet<SourceId> ids = new LinkedHashSet<>();
    ids.add(sbdf.sourceId());
    ids.addAll(phantomIds(function));
    if (function.kind() == PciKind.PCI) {
      topmostAlias(sbdf).ifPresent(alias -> ids.addAll(alias.requesterIds()));
    }
    return List.copyOf(ids);
  }

  /** The requester ids of a function's phantom functions, without its own. */
  public static List<SourceId> phantomIds(PciFunction function) {
    int stride = function.phantomStride();
    int own = function.sbdf().function();
    List<SourceId> ids = new ArrayList<>();
    // Of several functions in a slot only those numbered below the stride own phantoms.
    if (stride > 0 && own < stride) {
      for (int phantom = own + stride; phantom < FUNCTIONS_PER_DEVICE; phantom += stride) {
        ids.add(new SourceId(function.sbdf().sourceId().value() - own + phantom));
      }
    }
    return ids;
  }

  /**
   * The name of a function's group: the address of its topmost upstream bridge, or its own.
   *
   * @throws Refusal ENODEV where the function does not exist
   * @see "Xen XEN_DOMCTL_get_device_group"
   */
  public Sbdf group(Sbdf sbdf) {
    require(sbdf);
    return upstreamBridge(sbdf).map(PciFunction::sbdf).orElse(sbdf);
  }

  /**
   * Every function of the same group, itself included, in order of address.
   *
   * @throws Refusal ENODEV where the function does not exist
   */
  public List<PciFunction> groupMembers(Sbdf sbdf) {
    Sbdf group = group(sbdf);
    return functions.values().stream()
        .filter(function -> group(function.sbdf()).equals(group))
        .toList();
  }

  /** The bridge at an address, with the buses below it, if it is one. */
  public Optional<BusRange> busesBelow(Sbdf bridge) {
    return find(bridge).flatMap(PciFunction::buses);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("pci").put(functions.size());
    functions.values().forEach(function -> digest.put(function.toString()));
  }
}
