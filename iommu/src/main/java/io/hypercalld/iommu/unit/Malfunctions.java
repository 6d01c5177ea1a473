package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.vtd.Invalidation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What goes wrong in one unit; of several the first that strikes wins. Confined. */
public final class Malfunctions implements Digestible {
  private final List<Malfunction> present = new ArrayList<>();

  Malfunctions() {}

  public void add(Malfunction malfunction) {
    present.add(malfunction);
  }

  /** No effect on one that is not there. */
  public void remove(Malfunction malfunction) {
    present.remove(malfunction);
  }

  /** What becomes of a command that software gives now; empty where it is carried out. */
  Optional<Malfunction.Effect> strike(Invalidation command) {
    for (Malfunction malfunction : present) {
      Optional<Malfunction.Effect> effect = malfunction.strike(command);
      if (effect.isPresent()) {
        return effect;
      }
    }
    return Optional.empty();
  }

  /** Whether memory refuses a mark that hardware sets now. */
  boolean strikeMark() {
    for (Malfunction malfunction : present) {
      if (malfunction.strikeMark()) {
        return true;
      }
    }
    return false;
  }

  /** The same of a mark that hardware would set. */
  boolean wouldStrikeMark() {
    return present.stream().anyMatch(Malfunction::wouldStrikeMark);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(present.size());
    present.forEach(digest::put);
  }
}
