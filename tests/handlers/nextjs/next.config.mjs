export default {
  serverExternalPackages: ["@photostructure/sqlite"],
};
