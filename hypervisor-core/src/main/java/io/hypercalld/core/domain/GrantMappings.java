package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameType;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;
import java.util.BitSet;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The grants that a domain has mapped into its memory, by handle. Confined to the machine thread.
 *
 * <p>Each holds a reference to the granter's frame. The entry shows the granter that it is in use,
 * and until it is not any more the frame is the one that it was first, whatever the entry says.
 *
 * @see "xen/common/grant_table.c, map_grant_ref and unmap_common"
 */
public final class GrantMappings implements Digestible {
  private static final int HANDLES_PER_FRAME = PageSize.BYTES_4K / 16;
  private static final int MAPPINGS_PER_STEP = 256;

  private final TreeMap<Integer, GrantMapping> mappings = new TreeMap<>();
  private final BitSet taken = new BitSet();
  private final Domain mapper;
  private final FrameTable frames;
  private final DomainTable domains;
  private final GrantedPages pages;
  private final int handles;

  GrantMappings(
      Domain mapper, FrameTable frames, DomainTable domains, DomainSettings.GrantLimits limits) {
    this.mapper = mapper;
    this.frames = frames;
    this.domains = domains;
    this.pages = new GrantedPages(frames);
    this.handles = limits.maxMaptrackFrames() * HANDLES_PER_FRAME;
  }

  /**
   * What mapping came to.
   *
   * @param handle names the mapping; of no meaning unless the status is okay
   * @param mfn the granter's frame; likewise
   */
  public record Mapped(GrantStatus status, int handle, Mfn mfn) {
    public static Mapped not(GrantStatus status) {
      return new Mapped(status, 0, Mfn.INVALID);
    }
  }

  /** Mappings that there are, by handle. */
  public Map<Integer, GrantMapping> all() {
    return Map.copyOf(mappings);
  }

  /** Maps a page that another domain grants; the mapper is translated. */
  public Mapped map(GrantMapping wanted) {
    int handle = taken.nextClearBit(0);
    if (handle >= handles) {
      return Mapped.not(GrantStatus.NO_SPACE);
    }
    GrantTable table = wanted.granter().memory().grantTable();
    if (wanted.ref() >= table.entries()) {
      return Mapped.not(GrantStatus.BAD_GNTREF);
    }
    int ref = (int) wanted.ref();
    GrantPin pin = table.pin(ref);
    if (!mayPin(pin, wanted)) {
      return Mapped.not(GrantStatus.GENERAL_ERROR);
    }
    if (pin.isFree()) {
      var page = pages.find(wanted.granter(), table.contents().frame(ref), wanted.readonly());
      if (page.status() != GrantStatus.OKAY) {
        return Mapped.not(page.status());
      }
      pin = new GrantPin(mapper.id(), page.mfn(), 0, 0);
    }
    if (!hold(wanted, pin.mfn())) {
      return Mapped.not(GrantStatus.GENERAL_ERROR);
    }
    if (!enter(wanted, pin.mfn())) {
      letGo(wanted, pin.mfn());
      return Mapped.not(GrantStatus.GENERAL_ERROR);
    }
    table.setPin(ref, pin.with(wanted.readonly(), 1));
    taken.set(handle);
    mappings.put(handle, wanted);
    return new Mapped(GrantStatus.OKAY, handle, pin.mfn());
  }

  /**
   * Whether the grant is for the mapper, and for what it wants; asked once for each kind of use.
   */
  private boolean mayPin(GrantPin pin, GrantMapping wanted) {
    if (!pin.isFree() && (!pin.mapper().equals(mapper.id()) || pin.isFull(wanted.readonly()))) {
      return false;
    }
    if (!pin.isFree() && (wanted.readonly() || pin.writers() > 0)) {
      return true;
    }
    long header = wanted.granter().memory().grantTable().contents().header((int) wanted.ref());
    return GrantEntry.permits(header, mapper.id())
        && (wanted.readonly() || !GrantEntry.READONLY.isSet(header));
  }

  /** Takes the references that a mapping holds. */
  private boolean hold(GrantMapping wanted, Mfn mfn) {
    if (!frames.takeReference(mfn.value(), frames.owner(mfn.value()))) {
      return false;
    }
    if (holdsType(wanted) && !frames.takeTypeReference(mfn.value(), FrameType.WRITABLE)) {
      domains.putReference(mfn);
      return false;
    }
    return true;
  }

  /** Gives back what {@link #hold} took. */
  private void letGo(GrantMapping mapping, Mfn mfn) {
    if (holdsType(mapping)) {
      frames.putTypeReference(mfn.value());
    }
    domains.putReference(mfn);
  }

  // Otherwise the granter's table is not the mapper's, and its own entry holds none either.
  private boolean holdsType(GrantMapping mapping) {
    boolean foreign = mapping.granter() != mapper && mapping.granter().type().isTranslated();
    return !mapping.readonly() && !foreign;
  }

  private boolean enter(GrantMapping wanted, Mfn mfn) {
    P2mType type = wanted.readonly() ? P2mType.GRANT_MAP_RO : P2mType.GRANT_MAP_RW;
    try {
      mapper.physicalMap().orElseThrow().mapGrant(wanted.at(), mfn, type);
      return true;
    } catch (Refusal refusal) {
      // The interface has one status for all that can be wrong with the mapper's side.
      return false;
    }
  }

  /**
   * Unmaps a grant at a guest frame of the mapper's, which is to be the one where it was mapped or
   * another that maps the same frame.
   */
  public GrantStatus unmap(long handle, Gfn at) {
    if (!has(handle)) {
      return GrantStatus.BAD_HANDLE;
    }
    GrantMapping mapping = Objects.requireNonNull(mappings.get((int) handle));
    if (!leave(at, pin(mapping).mfn())) {
      return GrantStatus.GENERAL_ERROR;
    }
    forget((int) handle, mapping);
    return GrantStatus.OKAY;
  }

  /** Whether it has mapped a frame that another domain grants. */
  public boolean maps(Mfn mfn) {
    return mappings.values().stream().anyMatch(mapping -> frame(mapping).equals(mfn));
  }

  /** Whether the handle names a mapping. */
  public boolean has(long handle) {
    return handle < handles && mappings.containsKey((int) handle);
  }

  /** The frame that a mapping is of. */
  public Mfn frame(GrantMapping mapping) {
    return pin(mapping).mfn();
  }

  private static GrantPin pin(GrantMapping mapping) {
    return mapping.granter().memory().grantTable().pin((int) mapping.ref());
  }

  private boolean leave(Gfn at, Mfn mfn) {
    PhysicalMap map = mapper.physicalMap().orElseThrow();
    P2mLookup found = map.query(at);
    if (!P2mType.GRANT.contains(found.type()) || !found.mfn().equals(mfn)) {
      return false;
    }
    try {
      map.unmapGrant(at);
      return true;
    } catch (Refusal refusal) {
      return false;
    }
  }

  private void forget(int handle, GrantMapping mapping) {
    GrantPin pin = pin(mapping);
    mappings.remove(handle);
    taken.clear(handle);
    long gfn = frames.m2p(pin.mfn().value());
    if (!mapping.readonly() && gfn >= 0) {
      // What was written through it was not seen.
      mapping.granter().logDirty().markDirty(new Gfn(gfn));
    }
    mapping
        .granter()
        .memory()
        .grantTable()
        .setPin((int) mapping.ref(), pin.with(mapping.readonly(), -1));
    letGo(mapping, pin.mfn());
  }

  /**
   * Gives back some of the grants while the mapper is dying.
   *
   * @return whether none is left
   */
  boolean relinquish() {
    for (int done = 0; !mappings.isEmpty() && done < MAPPINGS_PER_STEP; done++) {
      Map.Entry<Integer, GrantMapping> first = mappings.firstEntry();
      GrantMapping mapping = first.getValue();
      leave(mapping.at(), pin(mapping).mfn());
      forget(first.getKey(), mapping);
    }
    return mappings.isEmpty();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("grant-mappings").put(mappings.size());
    mappings.forEach((handle, mapping) -> digest.put(handle).put(mapping));
  }
}
