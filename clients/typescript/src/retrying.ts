// Calls that the server asks to send again later: it was busy, or they came too often. What it may have done is not sent again.

const LONGEST_S = 60;

/** Sends again what was answered 429 or 503 with `Retry-After`. */
export function retrying(send: (request: Request) => Promise<Response>, retries: number): (request: Request) => Promise<Response> {
  return async (request) => {
    for (let left = retries; ; left -= 1) {
      const response = await send(left > 0 ? request.clone() : request);
      const after = Number(response.headers.get('Retry-After') ?? Number.NaN);
      const later = (response.status === 429 || response.status === 503) && Number.isFinite(after) && after <= LONGEST_S;
      if (!later || left <= 0) return response;
      await response.body?.cancel();
      await new Promise((done) => setTimeout(done, after * 1000));
    }
  };
}
