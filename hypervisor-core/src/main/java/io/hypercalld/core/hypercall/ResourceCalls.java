package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.ForeignMap;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mTable;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Acquires resources of any type. Confined to the machine thread.
 *
 * @see "xen/common/memory.c, acquire_resource"
 */
public final class ResourceCalls {
  /** Frames got from the provider at once. */
  private static final int CHUNK = 32;

  private static final long UINT_MAX = 0xffff_ffffL;

  private final Map<ResourceType, ResourceProvider> providers = new EnumMap<>(ResourceType.class);
  private final DomainTable domains;
  private final Continuations continuations;

  /** Grant tables are there; ioreq servers come with {@link #provide}. */
  ResourceCalls(DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.continuations = continuations;
    provide(ResourceType.IOREQ_SERVER, new IoreqResource());
    provide(ResourceType.GRANT_TABLE, new GrantResource());
  }

  /** Has the resources of a type come from somewhere. */
  public void provide(ResourceType type, ResourceProvider provider) {
    providers.put(type, provider);
  }

  Outcome acquire(Domain caller, AcquireResource args) {
    ForeignMap.requireOneView(caller, Errno.EACCES);
    requireRange(args);
    Domain domain = domains.remote(caller, args.domid());
    Privilege.DM_PRIV.demand(caller, domain);
    ResourceProvider provider = provider(domain, args);
    if (args.frameList().isEmpty()) {
      return size(provider.size(domain, args.id()), args);
    }
    long wanted = args.nrFrames();
    if (wanted == 0 || wanted > Extents.MAX_COUNT || args.startExtent() >= wanted) {
      throw Refusal.of(Errno.EINVAL, "%d of %d frames were acquired", args.startExtent(), wanted);
    }
    return acquireAll(caller, domain, args, provider);
  }

  private static void requireRange(AcquireResource args) {
    long first = args.frame().value();
    if (args.pad() != 0) {
      throw Refusal.of(Errno.EINVAL, "the pad is %d", args.pad());
    }
    if (args.nrFrames() > UINT_MAX
        || Long.compareUnsigned(first, UINT_MAX) > 0
        || first + args.nrFrames() > UINT_MAX) {
      throw Refusal.of(Errno.EINVAL, "%d frames from 0x%x on", args.nrFrames(), first);
    }
  }

  private ResourceProvider provider(Domain domain, AcquireResource args) {
    return ResourceType.of(args.type())
        .flatMap(type -> Optional.ofNullable(providers.get(type)))
        .filter(known -> known.size(domain, args.id()) > 0)
        .orElseThrow(
            () ->
                Refusal.of(
                    Errno.EINVAL,
                    "%s has no resource of type %d and id %d",
                    domain.id(),
                    args.type(),
                    args.id()));
  }

  private static Outcome size(long frames, AcquireResource args) {
    if (args.nrFrames() != 0 || args.startExtent() != 0) {
      throw Refusal.of(Errno.EINVAL, "%d frames and no list", args.nrFrames());
    }
    return Outcome.returning(new AcquireResource.Acquired(frames, Optional.empty()));
  }

  private Outcome acquireAll(
      Domain caller, Domain domain, AcquireResource args, ResourceProvider provider) {
    List<Mfn> found = new ArrayList<>();
    Steps steps = continuations.begin(caller);
    long done = args.startExtent();
    while (done < args.nrFrames()) {
      int count = (int) Math.min(CHUNK, args.nrFrames() - done);
      var chunk = new ResourceProvider.Frames(args.id(), args.frame().value() + done, count);
      if (chunk.first() + count <= provider.size(domain, args.id())) {
        requirePlace(caller, args, done);
      }
      List<Mfn> frames = provider.acquire(caller, domain, chunk);
      if (caller.type().isTranslated()) {
        mapChunk(caller, frames, args.frameList().orElseThrow(), done);
      }
      found.addAll(frames);
      done += count;
      if (steps.handled(count) && done < args.nrFrames()) {
        return Outcome.preempted(args.startingAt(done), acquired(caller, args, found));
      }
    }
    steps.finish();
    return Outcome.returning(acquired(caller, args, found));
  }

  private static AcquireResource.Acquired acquired(
      Domain caller, AcquireResource args, List<Mfn> found) {
    Optional<ExtentList> list =
        caller.type().isTranslated() ? Optional.empty() : Optional.of(new ExtentList(found));
    return new AcquireResource.Acquired(args.nrFrames(), list);
  }

  // Providers make pages that stay: not for a list that has no place for the first of them.
  private static void requirePlace(Domain caller, AcquireResource args, long done) {
    GuestFrames list = args.frameList().orElseThrow();
    if (!caller.type().isTranslated()) {
      return;
    }
    if (list.count() < args.nrFrames()) {
      throw Refusal.of(Errno.EFAULT, "the list has %d guest frames", list.count());
    }
    long first = list.at(done);
    if (first >>> P2mTable.GFN_BITS != 0) {
      throw Refusal.of(Errno.EINVAL, "guest frame 0x%x is beyond 2^%d", first, P2mTable.GFN_BITS);
    }
  }

  private static void mapChunk(Domain caller, List<Mfn> frames, GuestFrames list, long done) {
    for (int i = 0; i < frames.size(); i++) {
      Gfn at = new Gfn(list.at(done + i));
      try {
        caller.physicalMap().orElseThrow().foreign().map(frames.get(i), at);
      } catch (Refusal refusal) {
        if (i == 0) {
          throw refusal;
        }
        throw Refusal.of(Errno.EIO, "frame %d at %s: %s", done + i, at, refusal.reason());
      }
    }
  }
}
