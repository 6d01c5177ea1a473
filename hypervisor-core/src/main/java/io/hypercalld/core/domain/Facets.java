package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * What other modules keep for a domain, in order of registration. Confined to the machine thread.
 */
public final class Facets implements Digestible {
  private final List<DomainFacet> facets = new ArrayList<>();
  private final IdentityHashMap<Class<?>, DomainFacet> first = new IdentityHashMap<>();
  private final boolean translated;
  private Runnable mappingsLost = () -> {};

  Facets(DomainType type) {
    this.translated = type.isTranslated();
  }

  void attach(DomainFacet facet) {
    facets.add(facet);
    first.putIfAbsent(facet.getClass(), facet);
  }

  /** The first of exactly this class. */
  <F extends DomainFacet> Optional<F> find(Class<F> type) {
    return Optional.ofNullable(type.cast(first.get(type)));
  }

  /**
   * Tells of vCPUs that are about to be added.
   *
   * @throws io.hypercalld.core.errno.Refusal as {@link DomainFacet#vcpusAdded}
   */
  void vcpusAdded(int count) {
    facets.forEach(facet -> facet.vcpusAdded(count));
  }

  /** Tells that the domain is let run for the first time. */
  void started() {
    facets.forEach(DomainFacet::started);
  }

  /** Tells that the device model chose another type for a page. */
  public void retyped(Gfn gfn, P2mType type) {
    facets.forEach(facet -> facet.retyped(gfn, type));
  }

  /** Has somebody told of memory that leaves the domain's guest frames from now on. */
  public void onMappingsLost(Runnable listener) {
    mappingsLost = listener;
  }

  /**
   * Tells that memory left guest frames, so that who mapped it from there is to forget it.
   *
   * @see "xen/arch/x86/mm/p2m.c, p2m_remove_entry; xen/include/xen/ioreq.h, mapcache_invalidate"
   */
  void mappingsLost() {
    mappingsLost.run();
  }

  /** Tells that the domain suspended itself and wants its port to say so. */
  void suspended(long port) {
    facets.forEach(facet -> facet.suspended(port));
  }

  /** The interrupt of the machine that the domain has under a number of its own. */
  public OptionalInt machineInterrupt(long pirq) {
    return facets.stream()
        .map(facet -> facet.machineInterrupt(pirq))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  /** Frames to which they refer, once for each reference. */
  public Stream<Mfn> referencedFrames() {
    return facets.stream().flatMap(DomainFacet::referencedFrames);
  }

  /** Whether devices reach the domain's memory by themselves. */
  public boolean hasDevices() {
    return facets.stream().anyMatch(DomainFacet::hasDevices);
  }

  /**
   * Tells of frames that became a PV domain's to write; no effect for others.
   *
   * @throws io.hypercalld.core.errno.Refusal where somebody cannot follow; the frames are to be
   *     taken back
   */
  public void gained(FrameRun frames, SyncHook hook) {
    if (!translated) {
      facets.forEach(facet -> facet.framesGained(frames, hook));
    }
  }

  /** Tells of frames that are about to cease to be a PV domain's to write. */
  public void losing(FrameRun frames, SyncHook hook) {
    if (!translated) {
      facets.forEach(facet -> facet.framesLost(frames, hook));
    }
  }

  /** Adds their teardown, last attached first. */
  void relinquishBy(Relinquishment stages) {
    facets.reversed().forEach(facet -> stages.then(facet::relinquish));
  }

  @Override
  public void digest(StateDigest digest) {
    facets.forEach(digest::put);
  }
}
