package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.memory.Mfn;
import java.util.List;

/** Where the pages of one {@link ResourceType} come from. */
public interface ResourceProvider {
  /**
   * Consecutive frames of a resource.
   *
   * @param id which of the domain's resources of the type
   * @param first number of the first frame
   * @param count at least 1
   */
  record Frames(long id, long first, int count) {}

  /** Frames that the domain's resource of the id can have; 0 where there can be none. */
  long size(Domain domain, long id);

  /**
   * Frames of the domain's, made if need be; the caller may have them.
   *
   * @throws io.hypercalld.core.errno.Refusal EINVAL no such frame; ENOENT no such resource; EPERM
   *     not the caller's; ENOMEM
   */
  List<Mfn> acquire(Domain caller, Domain domain, Frames frames);
}
