package io.hypercalld.api.experiment;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.core.hypercall.OrElse;
import java.util.List;

/**
 * How often an emulated device asks where its requests go. Immutable.
 *
 * @param dmas requests in each trial
 * @param pages that the device's driver has mapped
 * @param entries how many translations the device remembers, one trial each
 * @param locality how likely a request goes to the page of the last one, in per cent; one trial
 *     each
 * @param seed of the requests, which are the same for each number of entries
 */
public record TranslateCallsQuestion(
    @OrElse("10000") int dmas,
    @OrElse("2048") int pages,
    @OrElse("[0,64,1024]") List<Integer> entries,
    @OrElse("[0,50,90,99]") List<Integer> locality,
    @OrElse("1") long seed) {
  private static final int MOST_DMAS = 1_000_000;
  private static final int MOST_PAGES = 2048;
  private static final int MOST_ENTRIES = 1 << 20;

  /**
   * Checks what would make no experiment.
   *
   * @throws InvalidBody where it would not
   */
  public TranslateCallsQuestion {
    entries = List.copyOf(entries);
    locality = List.copyOf(locality);
    if (dmas < 1 || dmas > MOST_DMAS) {
      throw InvalidBody.at("/dmas", "1 to %d requests are made", MOST_DMAS);
    }
    if (pages < 1 || pages > MOST_PAGES) {
      throw InvalidBody.at("/pages", "1 to %d pages are mapped", MOST_PAGES);
    }
    if (entries.stream().anyMatch(each -> each < 0 || each > MOST_ENTRIES)) {
      throw InvalidBody.at("/entries", "0 to %d are remembered", MOST_ENTRIES);
    }
    if (locality.stream().anyMatch(each -> each < 0 || each > 100)) {
      throw InvalidBody.at("/locality", "0 to 100 per cent are possible");
    }
  }
}
