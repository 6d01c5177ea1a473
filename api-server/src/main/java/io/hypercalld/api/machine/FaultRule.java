package io.hypercalld.api.machine;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.Malfunction;
import java.util.Optional;

/**
 * Something to go wrong, and when. Immutable.
 *
 * @param id names the rule; the next number where it is left out
 */
public record FaultRule(
    Optional<String> id, @OrElse("{}") Match match, @OrElse("{}") When when, Effect effect) {
  /**
   * What it is about; what is left out may be anything.
   *
   * @param command kind of invalidation command
   * @param sbdf the requester whose entry a command is about
   */
  public record Match(
      Optional<Integer> iommu, Optional<Malfunction.Command> command, Optional<Sbdf> sbdf) {
    private boolean isEmpty() {
      return iommu.isEmpty() && command.isEmpty() && sbdf.isEmpty();
    }
  }

  /**
   * The moment.
   *
   * @param skip matching commands that pass before, or frames that are still handed out
   * @param times commands that are struck; of ENOMEM, which lasts until the rule is removed, none
   */
  public record When(@OrElse("0") long skip, Optional<Long> times) {}

  /** What there is none of. */
  public enum Shortage {
    MEMORY;

    @Override
    public String toString() {
      return Errno.ENOMEM.name();
    }
  }

  /**
   * What happens: one of the two.
   *
   * @param type to an invalidation command
   * @param errno ENOMEM: no frame is free any more
   */
  public record Effect(Optional<Malfunction.Effect> type, Optional<Shortage> errno) {}

  /**
   * Checks that the rule means something.
   *
   * @throws InvalidBody where it does not
   */
  public FaultRule {
    if (effect.type.isPresent() == effect.errno.isPresent()) {
      throw InvalidBody.at("/effect", "an effect has a type or an errno");
    }
    if (effect.errno.isPresent() && !(match.isEmpty() && when.times.isEmpty())) {
      throw InvalidBody.at(
          "/when", "memory runs out for everybody, until the rule is removed: only skip applies");
    }
  }
}
