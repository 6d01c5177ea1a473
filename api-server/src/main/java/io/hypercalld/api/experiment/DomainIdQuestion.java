package io.hypercalld.api.experiment;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.core.hypercall.OrElse;

/**
 * How far domain-ids go, and what they cost. Immutable.
 *
 * @param platform an embedded one, whose units cover network cards with virtual functions
 * @param neighbours other guests on each unit while flushes are counted
 */
public record DomainIdQuestion(
    @OrElse("\"four-nics\"") String platform, @OrElse("10") int neighbours) {
  private static final int MOST_NEIGHBOURS = 50;

  /**
   * Checks what would make no experiment.
   *
   * @throws InvalidBody where something would not
   */
  public DomainIdQuestion {
    if (!platform.startsWith("four-nics")) {
      throw InvalidBody.at("/platform", "four-nics or four-nics-64 is needed");
    }
    if (neighbours < 0 || neighbours > MOST_NEIGHBOURS) {
      throw InvalidBody.at("/neighbours", "0 to %d guests fit", MOST_NEIGHBOURS);
    }
  }
}
