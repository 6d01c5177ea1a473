package io.hypercalld.api.rest;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class AccessTest {
  private static final String TOKEN = "0123456789abcdef";

  private static Request request(String path, Map<String, String> headers) {
    return Request.of(
        "GET",
        path,
        Map.of(),
        name -> Optional.ofNullable(headers.get(name)),
        new Request.Body(new byte[0]));
  }

  @Test
  void origin_resolvedToThisHost_isForeignAllTheSame() {
    Access access = new Access(List.of());

    // A page whose own name resolves here: its browser thinks that we are the same origin.
    assertThatThrownBy(
            () ->
                access.admit(
                    request(
                        "/v1",
                        Map.of("Origin", "http://evil.example:7780", "Host", "evil.example:7780"))))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("evil.example");
  }

  @Test
  void token_missingOrWrong_isRefused() {
    Access access = new Access(List.of(new Access.Credential(TOKEN, Grant.EVERYTHING)));

    for (Map<String, String> headers :
        List.of(
            Map.<String, String>of(),
            Map.of("Authorization", "Bearer wrong"),
            Map.of("Authorization", TOKEN))) {
      assertThatThrownBy(() -> access.admit(request("/v1", headers))).isInstanceOf(Failure.class);
    }
  }

  @Test
  void token_right_isLetIn() {
    Access access = new Access(List.of(new Access.Credential(TOKEN, Grant.EVERYTHING)));

    assertThatCode(() -> access.admit(request("/v1", Map.of("Authorization", "Bearer " + TOKEN))))
        .doesNotThrowAnyException();
  }

  @Test
  void health_withoutToken_isAnswered() {
    assertThatCode(
            () ->
                new Access(List.of(new Access.Credential(TOKEN, Grant.EVERYTHING)))
                    .admit(request("/health/live", Map.of())))
        .doesNotThrowAnyException();
  }
}
