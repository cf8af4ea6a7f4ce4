import { createServer } from "node:http";
import { ApolloServer, HeaderMap } from "@apollo/server";
import { announce, fail, listening, page, version } from "./serving.mjs";

const typeDefs = "type Query { invoice: String }";
const resolvers = { Query: { invoice: () => fail() } };

async function served(includeStacktraceInErrorResponses) {
  const apollo = new ApolloServer({ typeDefs, resolvers, includeStacktraceInErrorResponses });
  await apollo.start();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const headers = new HeaderMap(Object.entries(request.headers));
    const answer = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method: request.method, headers, body: JSON.parse(body), search: "" },
      context: async () => ({}),
    });
    response.writeHead(answer.status ?? 200, Object.fromEntries(answer.headers));
    response.end(answer.body.string);
  });
  return listening(server);
}

const query = { body: JSON.stringify({ query: "{ invoice }" }) };
const wrong = { body: JSON.stringify({ query: "{ nothing }" }) };
const [production, development] = [await served(false), await served(true)];
announce(`${version("@apollo/server")}, graphql ${version("graphql")}`, {
  apollo_production_error: page(production, "/graphql", query),
  apollo_production_400: page(production, "/graphql", wrong),
  apollo_development_error: page(development, "/graphql", query),
  apollo_development_400: page(development, "/graphql", wrong),
});
