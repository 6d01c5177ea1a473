package io.hypercalld.api.http;

import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.ServerRefusals;
import io.micronaut.context.annotation.Primary;
import io.micronaut.http.MutableHttpResponse;
import io.micronaut.http.server.exceptions.response.ErrorContext;
import io.micronaut.http.server.exceptions.response.ErrorResponseProcessor;
import jakarta.inject.Singleton;

/**
 * What the server refuses before a route sees it, told like everything else: too large a body, a
 * request that is not HTTP. Thread-safe.
 */
@Primary
@Singleton
final class FrameworkProblems implements ErrorResponseProcessor<byte[]> {
  private final ServerRefusals refusals = new ServerRefusals();

  @Override
  public MutableHttpResponse<byte[]> processResponse(
      ErrorContext context, MutableHttpResponse<?> response) {
    Encoded encoded =
        refusals.of(response.code(), context.getRequest().getHeaders().findFirst("X-Request-Id"));
    MutableHttpResponse<byte[]> answer = response.status(encoded.status()).body(encoded.body());
    answer.getHeaders().set("Content-Type", encoded.mediaType());
    encoded.headers().forEach(answer.getHeaders()::set);
    return answer;
  }
}
